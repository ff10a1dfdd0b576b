import { h } from '../base/dom.js';

/** A row of tabs: arrow keys move, `onselect(id)` tells. */
export function createTabs({ label, tabs, onselect }) {
  const buttons = tabs.map(({ id, title }) =>
    h(
      'button',
      { type: 'button', role: 'tab', 'data-tab': id, onclick: () => select(id), onkeydown: move },
      title,
    ),
  );
  const element = h('div', { class: 'tabs', role: 'tablist', 'aria-label': label }, buttons);

  function mark(id) {
    for (const button of buttons) {
      const isSelected = button.dataset.tab === id;
      button.setAttribute('aria-selected', String(isSelected));
      button.tabIndex = isSelected ? 0 : -1;
    }
  }

  function select(id) {
    mark(id);
    onselect(id);
  }

  function move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = buttons[(buttons.indexOf(event.currentTarget) + step + buttons.length) % buttons.length];
    next.focus();
    select(next.dataset.tab);
  }

  mark(tabs[0]?.id);
  return { element, select };
}
