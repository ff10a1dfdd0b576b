import { h, keyed } from './base/dom.js';
import { defineWidget } from './base/widget.js';
import { createExporter, exporterStyles } from './parts/exporter.js';

const POLL_MS = 1_000;
const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** Exports that the platform prepares: started here, watched while they run, fetched when ready. */
defineWidget({
  tag: 'qrvey-download-manager',
  name: 'Download Manager',
  styles: `${exporterStyles}
.start { display: grid; gap: 10px; grid-template-columns: minmax(0, 1fr); align-items: end; }
.jobs { display: grid; gap: 8px; }
.job { display: grid; gap: 6px 14px; grid-template-columns: minmax(0, 1fr); align-items: center; }
.job > div:first-child { min-inline-size: 0; }
.job .name { font-weight: 600; overflow-wrap: anywhere; }
.job .strip { grid-column: 1 / -1; }
@container (min-width: 620px) {
  .job { grid-template-columns: minmax(0, 1fr) auto; }
  .start { grid-template-columns: minmax(0, 2fr) repeat(2, minmax(0, 1fr)) auto; }
}`,
  mount({ body, platform, tasks }) {
    let timer;
    const name = h('input', {
      'data-input': 'name',
      placeholder: 'Name of the file',
      required: true,
      maxlength: 60,
    });
    const dataset = h(
      'select',
      { 'data-input': 'dataset', onchange: preview },
      h('option', { value: 'orders' }, 'Orders'),
      h('option', { value: 'tickets' }, 'Tickets'),
    );
    const status = h(
      'select',
      { 'data-input': 'status', onchange: preview },
      ['All', 'Open', 'Shipped', 'Returned'].map((text) => h('option', {}, text)),
    );
    const size = h('p', { class: 'soft', role: 'status' });
    const list = h('ul', { class: 'jobs', 'aria-label': 'Downloads', tabindex: -1 });
    const empty = h('p', { class: 'empty', hidden: true }, 'No downloads yet. Start one above.');
    body.append(
      h('header', { class: 'head' }, h('h2', {}, 'Downloads')),
      h(
        'form',
        { class: 'start', onsubmit: start },
        h('label', { class: 'field' }, 'Name', name),
        h('label', { class: 'field' }, 'Dataset', dataset),
        h('label', { class: 'field' }, 'Status', status),
        h('button', { class: 'button primary', 'data-action': 'start' }, 'Start'),
      ),
      size,
      list,
      empty,
    );

    function wanted() {
      const filters = status.value === 'All' ? [] : [{ column: 'status', values: [status.value] }];
      return { dataset: dataset.value, filters };
    }

    /** How much it will be, before anybody waits for it. */
    function preview() {
      tasks.run('size', async (signal) => {
        const { total } = await platform.query({ ...wanted(), limit: 1 }, { signal });
        size.textContent = `${total} rows with these choices`;
      });
    }

    function start(event) {
      event.preventDefault();
      tasks.run('start', async (signal) => {
        await platform.call('POST', '/data/v1/downloads', {
          body: { name: name.value.trim(), query: wanted() },
          signal,
        });
        name.value = '';
        refresh();
      });
    }

    function refresh() {
      clearTimeout(timer);
      return tasks.run('jobs', async (signal) => {
        const { jobs } = await platform.call('GET', '/data/v1/downloads', { signal });
        empty.hidden = jobs.length > 0;
        keyed(list, jobs, ({ id }) => id, createJob, showJob);
        if (jobs.some(({ progress_percent: percent }) => percent < 100)) timer = setTimeout(refresh, POLL_MS);
      });
    }

    function createJob(job) {
      const exporter = createExporter({
        tasks,
        name: `file:${job.id}`,
        label: 'Download',
        request: () => ({
          name: `${job.name}.csv`,
          start: (signal) => platform.stream('GET', `/data/v1/downloads/${job.id}/file`, { signal }),
        }),
      });
      const remove = h(
        'button',
        {
          type: 'button',
          class: 'quiet',
          'aria-label': `Remove ${job.name}`,
          onclick: () => removeJob(job.id),
        },
        'Remove',
      );
      exporter.strip.classList.add('strip');
      return h(
        'li',
        { class: 'card job', 'data-job': job.id, 'data-tenant': job.tenants.join(' ') },
        h(
          'div',
          {},
          h('p', { class: 'name' }, job.name),
          h(
            'p',
            { class: 'soft' },
            `${job.rows} rows of ${job.dataset}, ${job.tenants.join(', ')}, ${time.format(job.started_at_ms)}`,
          ),
        ),
        h('div', { class: 'row' }, exporter.button, remove),
        h('progress', { class: 'strip', max: 100, 'aria-label': `Preparing ${job.name}` }),
        exporter.strip,
      );
    }

    function showJob(child, job) {
      const isReady = job.progress_percent === 100;
      child.dataset.progress = job.progress_percent;
      const bar = child.querySelector(':scope > progress');
      bar.value = job.progress_percent;
      bar.hidden = isReady;
      child.querySelector('[data-action="export"]').hidden = !isReady;
    }

    function removeJob(id) {
      tasks.run(`remove:${id}`, async (signal) => {
        await platform.call('DELETE', `/data/v1/downloads/${id}`, { signal });
        // The button that has the focus goes with its job.
        list.focus();
        refresh();
      });
    }

    preview();
    refresh();
    return { pause: () => clearTimeout(timer), resume: refresh };
  },
});
