/** The widget’s place: its tabs, and the states that it can be in besides drawn. */
import { byId, element } from './dom.js';

/**
 * `signed-out`, `loading`, `ready` or `failed`; the style sheet shows what belongs to each.
 *
 * @param status what a screen reader is told
 * @param message nodes to show instead of the widget
 */
export function setStage(state, status, ...message) {
  byId('stage').dataset.state = state;
  byId('viewport').setAttribute('aria-busy', String(state === 'loading'));
  byId('stage-message').replaceChildren(...message);
  byId('stage-status').textContent = status;
}

/** The message of the `failed` state. */
export function failureMessage(error, onRetry) {
  const heading = element('h3', {}, 'The widget could not be shown');
  const retry = element('button', { type: 'button', id: 'retry', class: 'button primary' }, 'Try again');
  retry.addEventListener('click', onRetry);
  const code = error?.code ? [element('p', {}, element('code', { id: 'stage-code' }, error.code))] : [];
  return [heading, ...code, element('p', { class: 'stage-reason' }, error?.message ?? String(error)), retry];
}

/** A tab list as WAI-ARIA describes it: one stop for Tab, arrows in between. */
export function drawTabs(widgets, chosen, onChoose) {
  const list = byId('widget-tabs');
  const tabs = widgets.map((widget) => {
    const tab = element(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `widget-tab-${widget.id}`,
        'aria-controls': 'viewport',
        class: 'tab',
      },
      widget.name,
    );
    tab.addEventListener('click', () => choose(widget));
    return tab;
  });
  function choose(widget) {
    select(widget);
    onChoose(widget);
  }
  function select(widget) {
    for (const [index, tab] of tabs.entries()) {
      const selected = widgets[index] === widget;
      tab.setAttribute('aria-selected', String(selected));
      tab.tabIndex = selected ? 0 : -1;
      if (selected) byId('viewport').setAttribute('aria-labelledby', tab.id);
    }
  }
  list.addEventListener('keydown', (event) => {
    const from = tabs.indexOf(document.activeElement);
    const steps = { ArrowRight: from + 1, ArrowLeft: from - 1, Home: 0, End: tabs.length - 1 };
    if (from === -1 || !(event.key in steps)) return;
    event.preventDefault();
    const to = (steps[event.key] + tabs.length) % tabs.length;
    tabs[to].focus();
    choose(widgets[to]);
  });
  list.replaceChildren(...tabs);
  select(chosen);
}
