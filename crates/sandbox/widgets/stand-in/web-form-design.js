import { h, keyed, newId } from './base/dom.js';
import { ConfigurationError } from './base/settings.js';
import { defineWidget } from './base/widget.js';
import { createSaveBar } from './parts/save-bar.js';
import { createTable, tableStyles } from './parts/table.js';

const SAVED = '/data/v1/personal/form-design';
const KINDS = { text: 'One line', long: 'Several lines', choice: 'A choice', date: 'A date' };
const START = [
  { id: 'f1', label: 'Your order', kind: 'choice' },
  { id: 'f2', label: 'What went wrong?', kind: 'long' },
];

/** Designs a web form: fields that are added, named, sorted, previewed and saved. */
defineWidget({
  tag: 'qrvey-design-widgets',
  name: 'Web Form Design',
  tokenKeys: ['qv_token'],
  styles: `${tableStyles}
.design { display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr); }
.fields, .paper { display: grid; gap: 10px; align-content: start; }
.editor { display: grid; gap: 8px; grid-template-columns: minmax(0, 1fr) auto; align-items: end; }
.editor .row { grid-column: 1 / -1; justify-content: space-between; }
.paper { background: var(--raised); border-radius: 10px; padding: 18px; }
@container (max-width: 480px) {
  .editor { grid-template-columns: minmax(0, 1fr); }
}
@container (min-width: 760px) {
  .design { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
}`,
  mount({ body, platform, tasks, settings }) {
    const missing = ['app_id', 'user_id', 'qrvey_id', 'app_type'].filter((key) => !settings[key]);
    if (missing.length > 0) throw new ConfigurationError(`The configuration lacks ${missing.join(', ')}.`);
    let fields = structuredClone(START);
    let lastSaved = JSON.stringify(fields);
    let orders = [];

    const bar = createSaveBar(save);
    const list = h('ol', { class: 'fields', 'aria-label': 'Fields', tabindex: -1 });
    const paper = h('div', { class: 'paper', role: 'group', 'aria-label': 'Preview' });
    const table = createTable({
      dataset: 'orders',
      title: 'Orders to choose from',
      columns: ['order_id', 'customer', 'product', 'tenant'],
    });
    body.append(
      h('header', { class: 'head' }, h('h2', {}, 'Form design'), bar.element),
      h(
        'div',
        { class: 'design' },
        h(
          'div',
          { class: 'stack' },
          list,
          h(
            'div',
            {},
            h(
              'button',
              { type: 'button', class: 'button', 'data-action': 'add', onclick: add },
              'Add a field',
            ),
          ),
        ),
        paper,
      ),
      h('div', { class: 'stack' }, h('h3', {}, 'Orders that a choice offers'), table.element),
    );

    tasks.run('rows', async (signal) => {
      const answer = await platform.query(
        { dataset: 'orders', limit: 12, sort: { column: 'ordered_on', descending: true } },
        { signal },
      );
      orders = answer.rows.map(({ order_id: id }) => id);
      table.show(answer);
      draw();
    });
    tasks.run('saved', async (signal) => {
      const stored = await platform.call('GET', SAVED, { signal });
      const isUntouched = JSON.stringify(fields) === lastSaved;
      if (!stored) return;
      lastSaved = JSON.stringify(stored);
      if (isUntouched) fields = stored;
      draw();
    });

    function draw() {
      keyed(list, fields, ({ id }) => id, createEditor, showField);
      paper.replaceChildren(...fields.map(preview));
      bar.show(JSON.stringify(fields) === lastSaved);
    }

    function createEditor(field) {
      const label = h('input', {
        value: field.label,
        'data-input': `label:${field.id}`,
        oninput: () => change(field.id, { label: label.value }),
      });
      const kind = h(
        'select',
        { 'data-input': `kind:${field.id}`, onchange: () => change(field.id, { kind: kind.value }) },
        Object.entries(KINDS).map(([key, text]) =>
          h('option', { value: key, selected: key === field.kind }, text),
        ),
      );
      return h(
        'li',
        { class: 'card editor', 'data-field': field.id },
        h('label', { class: 'field' }, 'Question', label),
        h('label', { class: 'field' }, 'Answer', kind),
        h(
          'div',
          { class: 'row' },
          h(
            'button',
            {
              type: 'button',
              class: 'button icon',
              'aria-label': `Move up: ${field.label}`,
              onclick: () => move(field.id, -1),
            },
            '↑',
          ),
          h('button', { type: 'button', class: 'quiet', onclick: () => remove(field.id) }, 'Remove'),
        ),
      );
    }

    /** Writes only what differs, so that the caret stays where somebody types. */
    function showField(child, field) {
      const [label, kind] = [child.querySelector('input'), child.querySelector('select')];
      if (label.value !== field.label) label.value = field.label;
      if (kind.value !== field.kind) kind.value = field.kind;
    }

    function preview(field) {
      const id = newId('preview');
      const input = {
        text: () => h('input', { id, disabled: true }),
        long: () => h('textarea', { id, rows: 2, disabled: true }),
        date: () => h('input', { id, type: 'date', disabled: true }),
        choice: () =>
          h(
            'select',
            { id },
            orders.map((order) => h('option', {}, order)),
          ),
      }[field.kind]();
      return h('label', { class: 'field', for: id }, field.label || 'Question', input);
    }

    function change(id, part) {
      fields = fields.map((field) => (field.id === id ? { ...field, ...part } : field));
      draw();
    }

    function add() {
      const number = Math.max(0, ...fields.map(({ id }) => Number(id.slice(1)))) + 1;
      fields = [...fields, { id: `f${number}`, label: '', kind: 'text' }];
      draw();
      list.lastElementChild.querySelector('input').focus();
    }

    function move(id, step) {
      const from = fields.findIndex((field) => field.id === id);
      const to = Math.max(0, from + step);
      fields.splice(to, 0, ...fields.splice(from, 1));
      draw();
      list.children[to].querySelector('button').focus();
    }

    function remove(id) {
      fields = fields.filter((field) => field.id !== id);
      list.focus();
      draw();
    }

    function save() {
      tasks.run('save', async (signal) => {
        await platform.call('PUT', SAVED, { body: fields, signal });
        lastSaved = JSON.stringify(fields);
        draw();
      });
    }

    draw();
  },
});
