/** The widget’s place, and the states that it can be in. */
import { byId, element } from './dom.js';

/**
 * `signed-out`, `loading`, `ready` or `failed`; the style sheet shows what belongs to each.
 *
 * @param status said in the line above the widget
 * @param message nodes to show instead of the widget
 */
export function setStage(state, status, ...message) {
  byId('stage').dataset.state = state;
  byId('viewport').setAttribute('aria-busy', String(state === 'loading'));
  byId('stage-message').replaceChildren(...message);
  say(status);
}

/** @param tone `good` or `warning`; nothing for what is neither */
export function say(text, tone = '') {
  const status = byId('stage-status');
  status.textContent = text;
  status.dataset.tone = tone;
}

/** The message of the `failed` state. */
export function failureMessage(error, onRetry) {
  const heading = element('h3', {}, 'The widget could not be shown');
  const retry = element('button', { type: 'button', id: 'retry', class: 'button primary' }, 'Try again');
  retry.addEventListener('click', onRetry);
  const code = error?.code ? [element('p', {}, element('code', { id: 'stage-code' }, error.code))] : [];
  return [heading, ...code, element('p', { class: 'stage-reason' }, error?.message ?? String(error)), retry];
}
