import { h } from './base/dom.js';
import { defineWidget } from './base/widget.js';
import { createPage, pageStyles } from './parts/page.js';
import { createTabs } from './parts/tabs.js';

defineWidget({
  tag: 'qrvey-end-user',
  name: 'Dashboard View',
  styles: `${pageStyles}
.note { display: grid; gap: 6px; }`,
  mount({ body, platform, tasks }) {
    const pages = new Map();
    const heading = h('h2', {}, 'Dashboard');
    const stage = h('div', { class: 'stack' }, h('p', { class: 'empty' }, 'Loading the dashboard…'));
    // Kept here alone until it is sent, as any half-typed remark is.
    const remark = h(
      'label',
      { class: 'field note' },
      'Remark for your team',
      h('textarea', { rows: 2, 'data-input': 'remark', placeholder: 'What did you find?' }),
    );
    body.append(h('header', { class: 'head' }, heading), stage);

    tasks.run('pages', async (signal) => {
      const dashboard = await platform.call('GET', '/data/v1/pages', { signal });
      heading.textContent = dashboard.title;
      const tabs = createTabs({
        label: 'Pages',
        tabs: dashboard.pages,
        onselect: (id) => show(dashboard, id),
      });
      stage.replaceChildren(tabs.element, h('div', { class: 'stack', 'data-slot': 'page' }), remark);
      show(dashboard, dashboard.pages[0]?.id);
    });

    function show(dashboard, id) {
      const data = dashboard.pages.find((page) => page.id === id);
      if (!data) return;
      const isNew = !pages.has(id);
      if (isNew) pages.set(id, createPage({ page: data, platform, tasks }));
      const page = pages.get(id);
      stage.querySelector('[data-slot]').replaceChildren(page.element);
      if (!isNew) return;
      document.dispatchEvent(new CustomEvent('qvDSHPageLoaded', { detail: { pageId: id } }));
      page
        .load()
        .then(() => document.dispatchEvent(new CustomEvent('qvDSHItemsLoaded', { detail: { pageId: id } })));
    }

    return {
      pause: () => {
        for (const page of pages.values()) page.stop();
      },
    };
  },
});
