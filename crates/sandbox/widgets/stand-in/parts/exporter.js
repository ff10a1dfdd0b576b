import { h } from '../base/dom.js';

/**
 * An export that streams in: a button, progress in rows, a way to stop, and a link to save the file.
 * `request()` gives `{ name, start(signal) }`, where `start` opens the stream.
 */
export function createExporter({ tasks, name, label = 'Export CSV', request }) {
  const button = h(
    'button',
    { type: 'button', class: 'button', onclick: begin, 'data-action': 'export' },
    label,
  );
  const bar = h('progress', { 'aria-label': 'Export', max: 1, value: 0 });
  const text = h('span', { role: 'status' });
  const stop = h('button', { type: 'button', class: 'quiet', onclick: cancel }, 'Stop');
  const save = h('a', { class: 'button', hidden: true }, 'Save');
  const strip = h('div', { class: 'export', hidden: true, 'data-export': 'idle' }, bar, text, stop, save);
  let file = null;

  function begin() {
    const { name: fileName, start } = request();
    tasks.run(name, async (signal) => {
      release();
      button.disabled = true;
      show('running', 'Starting the export…', 0, 1);
      try {
        await receive(fileName, await start(signal), signal);
      } finally {
        button.disabled = false;
        if (strip.dataset.export === 'running') show('stopped', 'The export stopped.', 0, 1);
      }
    });
  }

  async function receive(fileName, { total, pieces }, signal) {
    const parts = [];
    // The first line is the heading.
    let rows = -1;
    for await (const piece of pieces) {
      if (signal.aborted) return;
      parts.push(piece);
      rows += piece.split('\n').length - 1;
      show('running', `${Math.max(0, rows)} of ${total} rows`, rows, total);
    }
    if (signal.aborted) return;
    file = URL.createObjectURL(new Blob(parts, { type: 'text/csv' }));
    save.href = file;
    save.download = fileName;
    strip.dataset.rows = rows;
    show('done', `${fileName}: ${rows} rows`, 1, 1);
  }

  function cancel() {
    tasks.cancel(name);
  }

  function show(state, message, value, max) {
    strip.hidden = false;
    strip.dataset.export = state;
    text.textContent = message;
    bar.max = Math.max(1, max);
    bar.value = Math.max(0, value);
    bar.hidden = state !== 'running';
    stop.hidden = state !== 'running';
    save.hidden = state !== 'done';
  }

  function release() {
    if (file !== null) URL.revokeObjectURL(file);
    file = null;
  }

  return { button, strip, release };
}

export const exporterStyles = `
.export { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; background: var(--raised); border-radius: 8px; padding: 8px 14px; font-variant-numeric: tabular-nums; }
.export progress { flex: 1 1 120px; inline-size: auto; }
`;
