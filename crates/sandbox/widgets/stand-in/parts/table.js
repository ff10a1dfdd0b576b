import { h, newId } from '../base/dom.js';
import { cellText, columnTitle, isNumeric } from '../base/format.js';

const COLUMNS = {
  orders: ['order_id', 'customer', 'product', 'region', 'ordered_on', 'status', 'amount', 'tenant'],
  tickets: ['ticket_id', 'subject', 'region', 'priority', 'agent', 'opened_on', 'status', 'hours', 'tenant'],
};

/**
 * A table of rows in a scrolling box. Each row says in `data-tenant` whose it is. Headings sort:
 * `onsort({ column, descending })`.
 */
export function createTable({ dataset, title, onsort, columns = COLUMNS[dataset] }) {
  const caption = newId('table');
  const heads = columns.map((column) => {
    const label = columnTitle(column);
    const content = onsort ? h('button', { type: 'button', onclick: () => toggle(column) }, label) : label;
    return h('th', { scope: 'col', class: isNumeric(column) && 'number', 'data-column': column }, content);
  });
  const rows = h('tbody', { class: 'fresh' });
  const count = h('p', { class: 'soft', role: 'status' });
  const scroll = h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'group', 'aria-labelledby': caption },
    h(
      'table',
      { role: 'table' },
      h('caption', { class: 'visually-hidden', id: caption }, title),
      h('thead', {}, h('tr', {}, heads)),
      rows,
    ),
  );
  let sort = null;

  const toggle = (column) => {
    const again = sort?.column === column;
    sort = { column, descending: again ? !sort.descending : isNumeric(column) };
    for (const other of heads) other.removeAttribute('aria-sort');
    const head = heads.find(({ dataset: { column: name } }) => name === column);
    head.setAttribute('aria-sort', sort.descending ? 'descending' : 'ascending');
    onsort(sort);
  };

  return {
    element: h('div', { class: 'stack' }, scroll, count),
    get sort() {
      return sort;
    },
    show(answer) {
      rows.replaceChildren(
        ...answer.rows.map((row) =>
          h(
            'tr',
            { 'data-tenant': row.tenant, 'data-id': row[columns[0]] },
            columns.map((column) =>
              h('td', { class: isNumeric(column) && 'number', 'data-column': column }, cell(column, row)),
            ),
          ),
        ),
      );
      const { total } = answer;
      const shown = answer.rows.length;
      count.textContent =
        total === 0 ? 'No rows match.' : `${shown === total ? total : `${shown} of ${total}`} rows`;
      scroll.dataset.total = total;
    },
  };
}

function cell(column, row) {
  const text = cellText(column, row[column]);
  return ['status', 'priority'].includes(column) ? h('span', { class: 'tag', 'data-tag': text }, text) : text;
}

export const tableStyles = `
.scroll { overflow: auto; max-block-size: 320px; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: separate; border-spacing: 0; inline-size: 100%; }
th, td { padding: 7px 12px; text-align: start; white-space: nowrap; border-block-end: 1px solid var(--line); }
th.number, td.number { text-align: end; font-variant-numeric: tabular-nums; }
tbody tr:last-child td { border-block-end: 0; }
tbody tr:hover td { background: var(--hover); }
thead th { position: sticky; inset-block-start: 0; z-index: 1; background: var(--raised); font-weight: 600; color: var(--soft); }
thead button { border: 0; background: none; padding: 0; font-weight: inherit; }
thead button::after { content: '↕'; opacity: 0.35; margin-inline-start: 5px; }
th[aria-sort] { color: var(--ink); }
th[aria-sort='ascending'] button::after { content: '↑'; opacity: 1; }
th[aria-sort='descending'] button::after { content: '↓'; opacity: 1; }
.tag[data-tag='Open'], .tag[data-tag='Waiting'], .tag[data-tag='High'] { background: var(--warn-wash); color: var(--warn); }
.tag[data-tag='Returned'] { color: var(--bad); }
.tag[data-tag='Shipped'], .tag[data-tag='Solved'] { color: var(--good); }
`;
