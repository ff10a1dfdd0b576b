import { h } from './base/dom.js';
import { ConfigurationError } from './base/settings.js';
import { defineWidget } from './base/widget.js';
import { chartStyles, createChart, createMetric } from './parts/charts.js';
import { createExporter, exporterStyles } from './parts/exporter.js';
import { createTable, tableStyles } from './parts/table.js';

/** Where the id of the item stands, by its type. */
const ID_KEYS = {
  CHART: ['chartId', 'chart_id'],
  METRIC: ['metricId', 'metric_id'],
  SUMMARY: ['summaryId', 'questionId', 'question_id'],
};

defineWidget({
  tag: 'an-panel',
  name: 'Single Panel',
  attribute: 'config',
  styles: `${chartStyles}${tableStyles}${exporterStyles}
.panel-metric .metric { background: none; padding: 0; }
.panel-metric .metric-value { font-size: 40px; }
.panel-metric .metric dt { display: none; }`,
  mount({ body, platform, tasks, settings }) {
    const { type, qrveyId } = settings;
    if (!qrveyId) throw new ConfigurationError('The configuration needs `qrveyId`.');
    if (!(type in ID_KEYS)) throw new ConfigurationError('`type` must be CHART, METRIC or SUMMARY.');
    const id = ID_KEYS[type].map((key) => settings[key]).find(Boolean);
    if (!id) throw new ConfigurationError(`A panel of type ${type} needs \`${ID_KEYS[type][0]}\`.`);

    const heading = h('h2', {}, 'Loading…');
    const stage = h('div', { class: 'stack' });
    body.append(h('header', { class: 'head' }, heading), stage);
    let item;
    let view;
    let picked;
    let detail;

    tasks.run('panel', async (signal) => {
      const { pages } = await platform.call('GET', '/data/v1/pages', { signal });
      item = pages
        .flatMap(({ items }) => items)
        .find((candidate) => candidate.type === type && candidate.id === id);
      if (!item) {
        heading.textContent = 'Not available';
        stage.replaceChildren(h('p', { class: 'empty' }, 'This item does not exist or is not open to you.'));
        return;
      }
      heading.textContent = item.title;
      draw();
      load();
    });

    function draw() {
      const { query } = item;
      const exporter = createExporter({
        tasks,
        name: 'export',
        request: () => ({
          name: `${query.dataset}.csv`,
          start: (signal) =>
            platform.stream('POST', '/data/v1/export', {
              body: { query: { dataset: query.dataset, filters: filters() } },
              signal,
            }),
        }),
      });
      body.querySelector('header').append(exporter.button);
      if (type === 'METRIC') {
        view = createMetric(item);
        stage.append(h('dl', { class: 'panel-metric' }, view.element), exporter.strip);
      } else if (type === 'CHART') {
        view = createChart({ query, onpick: pick });
        detail = h('div', { class: 'stack', hidden: true });
        stage.append(view.element, detail, exporter.strip);
      } else {
        view = createTable({ dataset: query.dataset, title: item.title, onsort: load });
        stage.append(view.element, exporter.strip);
      }
    }

    function load() {
      return tasks.run('item', async (signal) => {
        const { query } = item;
        view.show(
          await platform.query(
            type === 'SUMMARY' ? { ...query, limit: 100, sort: view.sort ?? undefined } : query,
            { signal },
          ),
          picked,
        );
      });
    }

    const filters = () => (picked === undefined ? [] : [{ column: item.query.group_by, values: [picked] }]);

    /** Drills into one mark: its rows appear below. */
    function pick(column, key) {
      picked = picked === key ? undefined : key;
      load();
      detail.hidden = picked === undefined;
      if (picked === undefined) return;
      const { dataset } = item.query;
      const table = createTable({ dataset, title: `${item.title}: ${key}`, onsort: showRows });
      detail.replaceChildren(
        h('h3', { 'data-drill': `${column}:${key}` }, `${key}, row by row`),
        table.element,
      );
      showRows();

      function showRows() {
        tasks.run('rows', async (signal) => {
          table.show(
            await platform.query(
              { dataset, filters: filters(), limit: 100, sort: table.sort ?? undefined },
              { signal },
            ),
          );
        });
      }
    }
  },
});
