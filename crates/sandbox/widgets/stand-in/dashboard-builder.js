import { h, keyed } from './base/dom.js';
import { defineWidget } from './base/widget.js';
import { chartStyles, createChart, createMetric } from './parts/charts.js';
import { createSaveBar } from './parts/save-bar.js';
import { createTable, tableStyles } from './parts/table.js';

const SAVED = '/data/v1/personal/builder';

/** Puts a dashboard together: items from a palette onto a canvas, in an order, under a title. */
defineWidget({
  tag: 'qrvey-builders',
  name: 'Dashboard Builder',
  styles: `${chartStyles}${tableStyles}
.builder { display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr); }
.palette { display: grid; gap: 6px; grid-auto-flow: column; overflow-x: auto; padding: 2px; }
.palette .button { justify-content: space-between; text-align: start; font-weight: 450; white-space: nowrap; }
.canvas { display: grid; gap: 12px; align-content: start; padding: 14px; border-radius: 10px; background: var(--raised); min-block-size: 220px; }
.canvas .card { background: var(--surface); }
.canvas .metric { padding: 0; background: none; }
.canvas .metric dt { display: none; }
.canvas .scroll { max-block-size: 220px; }
.title { font-size: 18px; font-weight: 650; flex: 1 1 200px; min-inline-size: 0; }
@container (min-width: 760px) {
  .builder { grid-template-columns: 248px minmax(0, 1fr); }
  .palette { grid-auto-flow: row; overflow: visible; padding: 0; }
}`,
  mount({ body, platform, tasks }) {
    let catalogue = [];
    let order = [];
    let lastSaved = '';
    const views = new Map();

    const title = h('input', {
      class: 'title',
      'data-input': 'title',
      'aria-label': 'Title of the dashboard',
      value: 'Untitled dashboard',
      oninput: showState,
    });
    const bar = createSaveBar(saveAll);
    const palette = h('div', { class: 'palette', role: 'group', 'aria-label': 'Items to add' });
    const canvas = h('div', { class: 'canvas', 'aria-label': 'Canvas', role: 'list' });
    const hint = h('p', { class: 'soft' }, 'The canvas is empty. Add an item from the palette.');
    body.append(
      h('header', { class: 'head' }, title, bar.element),
      h(
        'div',
        { class: 'builder' },
        h('div', { class: 'stack' }, h('h3', {}, 'Items'), palette),
        h('div', { class: 'stack' }, hint, canvas),
      ),
    );

    tasks.run('catalogue', async (signal) => {
      const { pages } = await platform.call('GET', '/data/v1/pages', { signal });
      const draft = await platform.call('GET', SAVED, { signal });
      catalogue = pages.flatMap(({ items }) => items);
      palette.replaceChildren(
        ...catalogue.map((item) =>
          h(
            'button',
            { type: 'button', class: 'button', 'data-add': item.id, onclick: () => toggle(item.id) },
            item.title,
            h('span', { class: 'tag' }, item.type.toLowerCase()),
          ),
        ),
      );
      if (draft) title.value = draft.title;
      order = (draft?.items ?? ['revenue', 'revenue-by-region', 'orders-table']).filter((id) =>
        catalogue.some((item) => item.id === id),
      );
      lastSaved = JSON.stringify(current());
      draw();
      document.dispatchEvent(new CustomEvent('qvDSHPageLoaded', { detail: { pageId: 'builder' } }));
    });

    const current = () => ({ title: title.value, items: order });

    function toggle(id) {
      order = order.includes(id) ? order.filter((other) => other !== id) : [...order, id];
      draw();
    }

    function remove(id) {
      toggle(id);
      palette.querySelector(`[data-add="${id}"]`).focus();
    }

    function move(id, step) {
      const from = order.indexOf(id);
      const to = from + step;
      if (to < 0 || to >= order.length) return;
      order.splice(to, 0, ...order.splice(from, 1));
      draw();
      canvas.querySelector(`[data-item="${id}"] [data-move="${step}"]`).focus();
    }

    function draw() {
      hint.hidden = order.length > 0;
      canvas.hidden = order.length === 0;
      for (const button of palette.children)
        button.setAttribute('aria-pressed', String(order.includes(button.dataset.add)));
      keyed(
        canvas,
        order,
        (id) => id,
        createCard,
        () => {},
      );
      showState();
    }

    function createCard(id) {
      const item = catalogue.find((candidate) => candidate.id === id);
      if (!views.has(id)) views.set(id, createView(item));
      const view = views.get(id);
      load(item, view);
      const button = (label, text, props) =>
        h(
          'button',
          { type: 'button', class: 'button icon', 'aria-label': `${label}: ${item.title}`, ...props },
          text,
        );
      return h(
        'div',
        { class: 'card', role: 'listitem', 'data-item': id, 'aria-label': item.title },
        h(
          'div',
          { class: 'head' },
          h('h3', {}, item.title),
          h(
            'div',
            { class: 'row' },
            button('Move up', '↑', { 'data-move': -1, onclick: () => move(id, -1) }),
            button('Move down', '↓', { 'data-move': 1, onclick: () => move(id, 1) }),
            button('Remove', '×', { onclick: () => remove(id) }),
          ),
        ),
        view.element,
      );
    }

    function createView(item) {
      if (item.type === 'METRIC') {
        const metric = createMetric(item);
        return { ...metric, element: h('dl', {}, metric.element) };
      }
      if (item.type === 'CHART') return createChart({ query: item.query });
      return createTable({ dataset: item.query.dataset, title: item.title });
    }

    function load(item, view) {
      tasks.run(`item:${item.id}`, async (signal) =>
        view.show(
          await platform.query(
            { ...item.query, limit: item.type === 'SUMMARY' ? 20 : undefined },
            { signal },
          ),
        ),
      );
    }

    function showState() {
      bar.show(JSON.stringify(current()) === lastSaved);
    }

    function saveAll() {
      tasks.run('save', async (signal) => {
        const draft = current();
        await platform.call('PUT', SAVED, { body: draft, signal });
        lastSaved = JSON.stringify(draft);
        showState();
        window.dispatchEvent(new CustomEvent('qvDSHSaveDashboard', { detail: { title: draft.title } }));
      });
    }
  },
});
