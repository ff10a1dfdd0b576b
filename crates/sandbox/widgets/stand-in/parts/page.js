import { h } from '../base/dom.js';
import { chartStyles, createChart, createMetric } from './charts.js';
import { createExporter, exporterStyles } from './exporter.js';
import { createFilters, filterStyles } from './filters.js';
import { createTable, tableStyles } from './table.js';

const ROWS = 100;

/**
 * One page of a dashboard: filters, metrics, charts that drill, a table that sorts, an export. `load()` asks
 * for everything and resolves to whether all items have been drawn.
 */
export function createPage({ page, platform, tasks }) {
  const dataset = page.items[0]?.query.dataset ?? 'orders';
  const filters = createFilters({ dataset, platform, tasks, onchange: () => loadItems() });
  const items = page.items.map((item) => ({ item, view: createView(item) }));
  const of = (kind) =>
    items.filter(({ item }) => item.type === kind).map(({ item, view }) => ({ item, view }));
  const exporter = createExporter({ tasks, name: `export:${page.id}`, request: exportRequest });

  function createView(item) {
    if (item.type === 'METRIC') return createMetric(item);
    if (item.type === 'CHART') return createChart({ query: item.query, onpick: filters.drill });
    return createTable({ dataset, title: item.title, onsort: () => loadItems('SUMMARY') });
  }

  const card = ({ item, view }, ...extra) =>
    h(
      'section',
      {
        class: `card ${item.query.group_by === 'month' ? 'wide' : ''}`,
        'data-item': item.id,
        'aria-label': item.title,
      },
      h('div', { class: 'head' }, h('h3', {}, item.title), extra),
      view.element,
    );

  const element = h(
    'div',
    { class: 'stack page', 'data-page': page.id },
    filters.element,
    h(
      'dl',
      { class: 'metrics' },
      of('METRIC').map(({ view }) => view.element),
    ),
    h(
      'div',
      { class: 'charts' },
      of('CHART').map((entry) => card(entry)),
    ),
    of('SUMMARY').map((entry) => card(entry, exporter.button)),
    exporter.strip,
  );

  function queryOf({ item, view }) {
    const query = { ...item.query, ...filters.value };
    return item.type === 'SUMMARY' ? { ...query, limit: ROWS, sort: view.sort ?? undefined } : query;
  }

  function loadItems(kind) {
    const wanted = items.filter(({ item }) => kind === undefined || item.type === kind);
    return Promise.all(
      wanted.map((entry) =>
        tasks.run(`item:${entry.item.id}`, async (signal) => {
          // Asked anew at each try, so that a retry brings what is wanted by then.
          const answer = await platform.query(queryOf(entry), { signal });
          entry.view.show(answer, filters.picked(entry.item.query.group_by));
        }),
      ),
    );
  }

  function exportRequest() {
    const query = { dataset, ...filters.value };
    return {
      name: `${dataset}.csv`,
      start: (signal) => platform.stream('POST', '/data/v1/export', { body: { query }, signal }),
    };
  }

  return {
    element,
    async load() {
      const [, items] = await Promise.all([filters.load(), loadItems()]);
      return items.every(Boolean);
    },
    stop: () => {
      filters.stop();
      exporter.release();
    },
  };
}

export const pageStyles = `${chartStyles}${tableStyles}${exporterStyles}${filterStyles}
.page { gap: 16px; }
.charts { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px; }
.charts .wide { grid-column: 1 / -1; }
@container (min-width: 680px) {
  .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
`;
