import { h } from './base/dom.js';
import { columnTitle } from './base/format.js';
import { defineWidget } from './base/widget.js';
import { chartStyles, createChart } from './parts/charts.js';
import { createExporter, exporterStyles } from './parts/exporter.js';
import { createTable, tableStyles } from './parts/table.js';

const FIELDS = {
  orders: {
    groups: ['region', 'product', 'customer', 'segment', 'status', 'month'],
    measures: ['amount', 'quantity'],
  },
  tickets: { groups: ['region', 'agent', 'priority', 'status', 'month'], measures: ['hours'] },
};
const AGGREGATES = { sum: 'Total', average: 'Average', count: 'Number' };

/** Free analysis: choose a dataset, a question and a group; drill, sort, export; keep findings as text. */
defineWidget({
  tag: 'an-dashboard',
  name: 'Analytic Suite',
  attribute: 'config',
  styles: `${chartStyles}${tableStyles}${exporterStyles}
.ask { display: grid; gap: 10px; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); }
.split { display: grid; gap: 12px; align-items: start; grid-template-columns: minmax(0, 1fr); }
@container (min-width: 860px) {
  .split { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); }
}`,
  mount({ body, platform, tasks }) {
    const ask = { dataset: 'orders', aggregate: 'sum', measure: 'amount', group_by: 'region' };
    let picked;
    let chart;
    let table;

    const select = (label, key, onchange) => {
      const element = h('select', { 'data-ask': key, onchange: () => onchange(element.value) });
      return { element, label: h('label', { class: 'field' }, label, element) };
    };
    const dataset = select('Dataset', 'dataset', (value) =>
      choose({ dataset: value, measure: FIELDS[value].measures[0], group_by: 'region' }),
    );
    const aggregate = select('Show', 'aggregate', (value) => choose({ aggregate: value }));
    const measure = select('Of', 'measure', (value) => choose({ measure: value }));
    const group = select('By', 'group_by', (value) => choose({ group_by: value }));
    const exporter = createExporter({
      tasks,
      name: 'export',
      request: () => ({
        name: `${ask.dataset}.csv`,
        start: (signal) =>
          platform.stream('POST', '/data/v1/export', {
            body: { query: { dataset: ask.dataset, filters: filters() } },
            signal,
          }),
      }),
    });
    const title = h('h3', {});
    const stage = h('div', { class: 'split' });
    const finding = h('textarea', {
      rows: 2,
      'data-input': 'finding',
      placeholder: 'Write down what you see…',
    });
    body.append(
      h('header', { class: 'head' }, h('h2', {}, 'Explore'), exporter.button),
      h(
        'div',
        { class: 'ask' },
        [dataset, aggregate, measure, group].map(({ label }) => label),
      ),
      stage,
      exporter.strip,
      h('label', { class: 'field' }, 'Findings', finding),
    );

    const filters = () => (picked === undefined ? [] : [{ column: ask.group_by, values: [picked] }]);

    function choose(change) {
      Object.assign(ask, change);
      picked = undefined;
      redraw();
    }

    function options({ element }, entries, value) {
      element.replaceChildren(
        ...entries.map(([key, text]) => h('option', { value: key, selected: key === value }, text)),
      );
    }

    function redraw() {
      const fields = FIELDS[ask.dataset];
      const titles = (columns) => columns.map((column) => [column, columnTitle(column)]);
      options(dataset, titles(Object.keys(FIELDS)), ask.dataset);
      options(aggregate, Object.entries(AGGREGATES), ask.aggregate);
      options(measure, titles(fields.measures), ask.measure);
      options(group, titles(fields.groups), ask.group_by);
      measure.element.disabled = ask.aggregate === 'count';
      chart = createChart({ query: ask, onpick: pick });
      table = createTable({ dataset: ask.dataset, title: 'Rows', onsort: loadRows });
      stage.replaceChildren(
        h('section', { class: 'card' }, title, chart.element),
        h('section', { class: 'card' }, h('h3', {}, 'Rows behind it'), table.element),
      );
      loadChart();
      loadRows();
    }

    function pick(_, key) {
      picked = picked === key ? undefined : key;
      loadChart();
      loadRows();
    }

    function loadChart() {
      const what = ask.aggregate === 'count' ? ask.dataset : ask.measure;
      title.textContent = `${AGGREGATES[ask.aggregate]} of ${what} by ${columnTitle(ask.group_by).toLowerCase()}`;
      return tasks.run('chart', async (signal) => chart.show(await platform.query(ask, { signal }), picked));
    }

    function loadRows() {
      return tasks.run('rows', async (signal) => {
        table.show(
          await platform.query(
            { dataset: ask.dataset, filters: filters(), limit: 100, sort: table.sort ?? undefined },
            { signal },
          ),
        );
      });
    }

    redraw();
    return { pause: exporter.release };
  },
});
