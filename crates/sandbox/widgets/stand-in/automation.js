import { h } from './base/dom.js';
import { columnTitle } from './base/format.js';
import { defineWidget } from './base/widget.js';
import { createSaveBar } from './parts/save-bar.js';
import { createTable, tableStyles } from './parts/table.js';

const SAVED = '/data/v1/personal/automation';
const COLUMNS = { status: ['Open', 'Returned', 'Shipped'], segment: ['Enterprise', 'Mid-market', 'Small'] };
const START = {
  name: 'Watch open orders',
  trigger: 'Every morning',
  column: 'status',
  value: 'Open',
  message: '',
};

/** A workflow: when, if, then. The rows that it would act on are shown beside it. */
defineWidget({
  tag: 'qrvey-workflow-design',
  name: 'Automation',
  styles: `${tableStyles}
.flow { display: grid; gap: 26px; grid-template-columns: minmax(0, 1fr); }
.step { position: relative; display: grid; gap: 10px; align-content: start; }
.step:not(:first-child)::before { content: ''; position: absolute; inset-block-start: -27px; inset-inline-start: 28px; block-size: 26px; border-inline-start: 2px solid var(--line); }
.kind { font-size: 12px; font-weight: 650; color: var(--accent); text-transform: uppercase; letter-spacing: 0.05em; }
.title { font-size: 18px; font-weight: 650; flex: 1 1 200px; min-inline-size: 0; }
@container (min-width: 760px) {
  .flow { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .step:not(:first-child)::before { inset-block-start: 30px; inset-inline-start: -27px; block-size: 0; inline-size: 26px; border: 0; border-block-start: 2px solid var(--line); }
}`,
  mount({ body, platform, tasks }) {
    let saved = START;
    const title = h('input', {
      class: 'title',
      'aria-label': 'Name of the automation',
      'data-input': 'name',
      oninput: showState,
    });
    const trigger = h(
      'select',
      { 'data-input': 'trigger', onchange: showState },
      ['Every morning', 'Every hour', 'When a row is added'].map((text) => h('option', {}, text)),
    );
    const column = h(
      'select',
      {
        'data-input': 'column',
        onchange: () => {
          fillValues();
          preview();
        },
      },
      Object.keys(COLUMNS).map((name) => h('option', { value: name }, columnTitle(name))),
    );
    const value = h('select', { 'data-input': 'value', onchange: preview });
    const message = h('textarea', {
      'data-input': 'message',
      rows: 3,
      placeholder: 'Dear team, these orders…',
      oninput: showState,
    });
    const bar = createSaveBar(save);
    const affected = h('h3', {}, 'Rows it would act on');
    const table = createTable({ dataset: 'orders', title: 'Rows it would act on', onsort: preview });
    const step = (kind, label, ...fields) =>
      h('section', { class: 'card step', 'aria-label': label }, h('p', { class: 'kind' }, kind), fields);
    body.append(
      h('header', { class: 'head' }, title, bar.element),
      h(
        'div',
        { class: 'flow' },
        step('When', 'Trigger', h('label', { class: 'field' }, 'It starts', trigger)),
        step(
          'If',
          'Condition',
          h('label', { class: 'field' }, 'The order’s', column),
          h('label', { class: 'field' }, 'is', value),
        ),
        step('Then', 'Action', h('label', { class: 'field' }, 'Send this message', message)),
      ),
      h('div', { class: 'stack' }, affected, table.element),
    );

    const current = () => ({
      name: title.value,
      trigger: trigger.value,
      column: column.value,
      value: value.value,
      message: message.value,
    });

    function fillValues(chosen) {
      value.replaceChildren(
        ...COLUMNS[column.value].map((text) => h('option', { selected: text === chosen }, text)),
      );
    }

    function fill(automation) {
      title.value = automation.name;
      trigger.value = automation.trigger;
      column.value = automation.column;
      fillValues(automation.value);
      message.value = automation.message;
    }

    function showState() {
      bar.show(JSON.stringify(current()) === JSON.stringify(saved));
    }

    function preview() {
      showState();
      return tasks.run('preview', async (signal) => {
        const filters = [{ column: column.value, values: [value.value] }];
        const answer = await platform.query(
          { dataset: 'orders', filters, limit: 50, sort: table.sort ?? undefined },
          { signal },
        );
        affected.textContent = `It would act on ${answer.total} orders today`;
        table.show(answer);
      });
    }

    function save() {
      tasks.run('save', async (signal) => {
        const automation = current();
        await platform.call('PUT', SAVED, { body: automation, signal });
        saved = automation;
        showState();
      });
    }

    fill(START);
    preview();
    tasks.run('saved', async (signal) => {
      const stored = await platform.call('GET', SAVED, { signal });
      // What has been typed meanwhile wins.
      const isUntouched = JSON.stringify(current()) === JSON.stringify(saved);
      if (!stored) return;
      saved = stored;
      if (isUntouched) fill(stored);
      preview();
    });
  },
});
