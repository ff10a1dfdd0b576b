/** A tab list as WAI-ARIA describes it: one stop for Tab, arrows in between. */
import { element } from './dom.js';

/**
 * @param list the element with `role="tablist"`
 * @param tabs `{ id, name, panel, … }`: `panel` is the element that the tab is about; tabs may share one
 * @param onChoose called with the tab that a person chose
 * @param isCostly arrows only move the focus then, and Enter or Space chooses
 * @returns a function that selects the tab of an id, as if nobody had chosen it
 */
export function drawTabs(list, tabs, onChoose, { isCostly = false } = {}) {
  const buttons = tabs.map((tab) => {
    const button = element(
      'button',
      { type: 'button', role: 'tab', id: `tab-${tab.id}`, 'aria-controls': tab.panel.id, class: 'tab' },
      tab.name,
    );
    button.addEventListener('click', () => choose(tab));
    return button;
  });

  function choose(tab) {
    select(tab);
    onChoose(tab);
  }

  function select(chosen) {
    for (const [index, button] of buttons.entries()) {
      const isChosen = tabs[index] === chosen;
      button.setAttribute('aria-selected', String(isChosen));
      button.tabIndex = isChosen ? 0 : -1;
    }
    for (const { panel } of tabs) panel.hidden = panel !== chosen.panel;
    chosen.panel.setAttribute('aria-labelledby', `tab-${chosen.id}`);
  }

  list.addEventListener('keydown', (event) => {
    const from = buttons.indexOf(document.activeElement);
    const steps = {
      ArrowRight: from + 1,
      ArrowDown: from + 1,
      ArrowLeft: from - 1,
      ArrowUp: from - 1,
      Home: 0,
      End: buttons.length - 1,
    };
    if (from === -1 || !(event.key in steps)) return;
    event.preventDefault();
    const to = (steps[event.key] + buttons.length) % buttons.length;
    buttons[to].focus();
    if (!isCostly) choose(tabs[to]);
  });
  list.replaceChildren(...buttons);
  select(tabs[0]);
  return (id) => select(tabs.find((tab) => tab.id === id));
}
