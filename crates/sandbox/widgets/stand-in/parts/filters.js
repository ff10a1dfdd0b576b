import { h } from '../base/dom.js';
import { columnTitle, keyText } from '../base/format.js';

/** The columns that a dataset can be filtered by. */
const FILTERS = { orders: ['region', 'segment', 'status'], tickets: ['region', 'priority', 'status'] };

/**
 * Selects, a search field, and the trail of what has been drilled into. `onchange()` is called when
 * the rows that are wanted have changed; `value` says which those are, as part of a query.
 */
export function createFilters({ dataset, platform, tasks, onchange }) {
  const chosen = new Map();
  const drilled = new Map();
  let search = '';
  let timer;

  const selects = FILTERS[dataset].map((column) => {
    const select = h(
      'select',
      { 'data-filter': column, onchange: () => choose(column, select.value) },
      h('option', { value: '' }, 'All'),
    );
    const fill = (answer) => select.append(...answer.rows.map(({ key }) => h('option', { value: key }, key)));
    const query = { dataset, group_by: column, aggregate: 'count', measure: column };
    const load = () =>
      tasks.run(`filter:${dataset}:${column}`, async (signal) =>
        fill(await platform.query(query, { signal })),
      );
    return { element: h('label', { class: 'field' }, columnTitle(column), select), load };
  });
  const field = h('input', {
    type: 'search',
    placeholder: 'Any text…',
    'data-filter': 'search',
    oninput: type,
  });
  const trail = h('div', { class: 'row trail', role: 'group', 'aria-label': 'Drilled into', hidden: true });

  function choose(column, value) {
    if (value === '') chosen.delete(column);
    else chosen.set(column, value);
    changed();
  }

  function type() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      search = field.value.trim();
      changed();
    }, 250);
  }

  function drill(column, key) {
    if (drilled.get(column) === key) drilled.delete(column);
    else drilled.set(column, key);
    trail.hidden = drilled.size === 0;
    trail.replaceChildren(
      ...[...drilled].map(([name, value]) =>
        h(
          'button',
          {
            type: 'button',
            class: 'button',
            'aria-pressed': 'true',
            'data-drill': `${name}:${value}`,
            onclick: () => drill(name, value),
          },
          `${columnTitle(name)}: ${keyText(name, value, true)}`,
          h('span', { 'aria-hidden': 'true' }, '×'),
          h('span', { class: 'visually-hidden' }, 'remove'),
        ),
      ),
    );
    changed();
  }

  function changed() {
    const filters = [...chosen].map(([column, value]) => ({ column, values: [value] }));
    window.dispatchEvent(new CustomEvent('atApplyUserFilters', { detail: { filters } }));
    onchange();
  }

  return {
    element: h(
      'div',
      { class: 'stack' },
      h(
        'div',
        { class: 'filters' },
        selects.map(({ element }) => element),
        h('label', { class: 'field' }, 'Find', field),
      ),
      trail,
    ),
    load: () => Promise.all(selects.map(({ load }) => load())),
    drill,
    picked: (column) => drilled.get(column),
    stop: () => clearTimeout(timer),
    get value() {
      const filters = [...chosen, ...drilled].map(([column, value]) => ({ column, values: [value] }));
      return { filters, search };
    },
  };
}

export const filterStyles = `
.filters { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 10px; }
.trail { min-block-size: 34px; }
@container (max-width: 480px) {
  .filters { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
`;
