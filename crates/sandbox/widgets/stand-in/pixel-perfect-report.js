import { h } from './base/dom.js';
import { cellText, columnTitle, isNumeric } from './base/format.js';
import { defineWidget } from './base/widget.js';
import { createExporter, exporterStyles } from './parts/exporter.js';

const ROWS_PER_SHEET = 18;
const SHEET_PX = 620;
const MIN_ZOOM = 0.4;
const COLUMNS = ['order_id', 'customer', 'product', 'ordered_on', 'amount', 'tenant'];

/** A report on sheets of paper: its title and remarks are typed in place, sheets turn, paper zooms. */
defineWidget({
  tag: 'qrvey-pixel-builder',
  name: 'Pixel-perfect Reports',
  styles: `${exporterStyles}
.desk { background: var(--raised); border-radius: 10px; padding: 20px; overflow: auto; }
.sheet { zoom: var(--zoom, 1); color-scheme: light; inline-size: ${SHEET_PX}px; min-block-size: 780px; margin-inline: auto; padding: 48px; background: #fff; color: #161b25; box-shadow: 0 1px 2px #0003, 0 8px 24px #0002; display: grid; grid-template: auto auto 1fr auto / minmax(0, 1fr); gap: 14px; font-size: 12px; }
.sheet [contenteditable] { border-radius: 3px; outline-offset: 3px; }
.sheet [contenteditable]:hover { background: #eef3fb; }
.sheet [contenteditable]:focus-visible { outline: 2px solid #1c5bb8; }
.sheet [contenteditable]:empty::before { content: attr(data-placeholder); color: #68717f; }
.sheet [data-input='title'] { font-size: 22px; font-weight: 650; line-height: 1.3; }
.sheet table { inline-size: 100%; border-collapse: collapse; }
.sheet th, .sheet td { text-align: start; padding: 5px 6px; border-block-end: 1px solid #dde1e8; white-space: nowrap; }
.sheet th { border-block-end: 2px solid #161b25; }
.sheet .number { text-align: end; font-variant-numeric: tabular-nums; }
.sheet footer { display: flex; justify-content: space-between; color: #545e70; }
.zoom { display: flex; align-items: center; gap: 8px; }`,
  mount({ body, platform, tasks }) {
    let sheetNumber = 0;
    let sheets = 1;
    const editable = (tag, input, text, placeholder) =>
      h(
        tag,
        {
          contenteditable: 'plaintext-only',
          role: 'textbox',
          'data-input': input,
          'aria-label': placeholder,
          'data-placeholder': placeholder,
          spellcheck: 'false',
        },
        text,
      );
    const title = editable('div', 'title', 'Orders of the year', 'Title');
    const remarks = editable('div', 'remarks', '', 'Add remarks for the reader…');
    const rows = h('tbody', {});
    const pageText = h('span', { role: 'status' });
    const sheet = h(
      'article',
      { class: 'sheet', 'aria-label': 'Sheet' },
      title,
      remarks,
      h(
        'div',
        {},
        h(
          'table',
          { role: 'table' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              COLUMNS.map((column) =>
                h('th', { scope: 'col', class: isNumeric(column) && 'number' }, columnTitle(column)),
              ),
            ),
          ),
          rows,
        ),
      ),
      h('footer', {}, h('span', {}, 'Business review'), pageText),
    );
    const previous = h(
      'button',
      { type: 'button', class: 'button icon', 'aria-label': 'Previous sheet', onclick: () => turn(-1) },
      '←',
    );
    const next = h(
      'button',
      {
        type: 'button',
        class: 'button icon',
        'aria-label': 'Next sheet',
        'data-action': 'next',
        onclick: () => turn(1),
      },
      '→',
    );
    const zoom = h('input', {
      type: 'range',
      min: MIN_ZOOM,
      max: 1.25,
      step: 0.05,
      value: 1,
      'data-input': 'zoom',
      oninput: showZoom,
    });
    const exporter = createExporter({
      tasks,
      name: 'export',
      label: 'Export',
      request: () => ({
        name: 'report.csv',
        start: (signal) =>
          platform.stream('POST', '/data/v1/export', { body: { query: { dataset: 'orders' } }, signal }),
      }),
    });
    body.append(
      h(
        'header',
        { class: 'head' },
        h('div', { class: 'row' }, previous, next, h('label', { class: 'zoom' }, 'Zoom', zoom)),
        exporter.button,
      ),
      exporter.strip,
      h('div', { class: 'desk', tabindex: 0, role: 'region', 'aria-label': 'Report' }, sheet),
    );

    // A sheet that is wider than its place starts smaller; a place that is not yet shown has no width.
    const fitting = new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width === 0) return;
      fitting.disconnect();
      zoom.value = Math.max(MIN_ZOOM, Math.min(1, contentRect.width / SHEET_PX));
      showZoom();
    });
    fitting.observe(sheet.parentElement);

    function showZoom() {
      sheet.style.setProperty('--zoom', zoom.value);
    }

    function turn(step) {
      sheetNumber = Math.min(Math.max(sheetNumber + step, 0), sheets - 1);
      load();
    }

    function load() {
      return tasks.run('sheet', async (signal) => {
        const query = {
          dataset: 'orders',
          limit: ROWS_PER_SHEET,
          offset: sheetNumber * ROWS_PER_SHEET,
          sort: { column: 'ordered_on' },
        };
        const answer = await platform.query(query, { signal });
        sheets = Math.max(1, Math.ceil(answer.total / ROWS_PER_SHEET));
        rows.replaceChildren(
          ...answer.rows.map((row) =>
            h(
              'tr',
              { 'data-tenant': row.tenant, 'data-id': row.order_id },
              COLUMNS.map((column) =>
                h('td', { class: isNumeric(column) && 'number' }, cellText(column, row[column])),
              ),
            ),
          ),
        );
        pageText.textContent = `Sheet ${sheetNumber + 1} of ${sheets}`;
        previous.disabled = sheetNumber === 0;
        next.disabled = sheetNumber === sheets - 1;
      });
    }

    load();
    return { pause: exporter.release };
  },
});
