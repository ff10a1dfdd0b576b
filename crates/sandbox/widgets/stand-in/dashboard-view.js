import { h } from './base/dom.js';
import { defineWidget } from './base/widget.js';
import { createPages, pagesStyles } from './parts/pages.js';

defineWidget({
  tag: 'qrvey-end-user',
  name: 'Dashboard View',
  styles: pagesStyles,
  mount({ body, platform, tasks }) {
    let pages;
    const heading = h('h2', {}, 'Dashboard');
    const stage = h('div', { class: 'stack' }, h('p', { class: 'empty' }, 'Loading the dashboard…'));
    // Kept here alone until it is sent, as any half-typed remark is.
    const remark = h(
      'label',
      { class: 'field' },
      'Remark for your team',
      h('textarea', { rows: 2, 'data-input': 'remark', placeholder: 'What did you find?' }),
    );
    body.append(h('header', { class: 'head' }, heading), stage);

    tasks.run('pages', async (signal) => {
      const dashboard = await platform.call('GET', '/data/v1/pages', { signal });
      heading.textContent = dashboard.title;
      pages = createPages({ dashboard, platform, tasks });
      stage.replaceChildren(...pages.elements, remark);
    });

    return { pause: () => pages?.stop() };
  },
});
