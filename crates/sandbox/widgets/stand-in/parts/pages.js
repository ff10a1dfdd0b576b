import { h } from '../base/dom.js';
import { createPage, pageStyles } from './page.js';
import { createTabs } from './tabs.js';

/**
 * The pages of a dashboard under tabs. A page is made when it is first looked at and kept from then on,
 * with its filters and its scroll position.
 */
export function createPages({ dashboard, platform, tasks }) {
  const pages = new Map();
  const slot = h('div', { class: 'stack', 'data-slot': 'page' });
  const tabs = createTabs({ label: 'Pages', tabs: dashboard.pages, onselect: show });

  function show(id) {
    const page = dashboard.pages.find((candidate) => candidate.id === id);
    if (!page) return;
    const isNew = !pages.has(id);
    if (isNew) pages.set(id, createPage({ page, platform, tasks }));
    slot.replaceChildren(pages.get(id).element);
    if (isNew) load(id);
  }

  async function load(pageId) {
    tell('qvDSHPageLoaded', { pageId });
    if (await pages.get(pageId).load()) tell('qvDSHItemsLoaded', { pageId });
  }

  show(dashboard.pages[0]?.id);
  const nothing = h('p', { class: 'empty' }, 'No page of this dashboard is open to you.');
  return {
    elements: dashboard.pages.length === 0 ? [nothing] : [tabs.element, slot],
    stop() {
      for (const page of pages.values()) page.stop();
    },
  };
}

const tell = (type, detail) => document.dispatchEvent(new CustomEvent(type, { detail }));

export const pagesStyles = pageStyles;
