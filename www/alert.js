/** The one line above everything, for what keeps the whole page from working. */
import { byId, element } from './dom.js';

export function showAlert(text, actionName, action) {
  const button = element('button', { type: 'button', class: 'button' }, actionName);
  button.addEventListener('click', action);
  const alert = byId('alert');
  alert.replaceChildren(element('p', {}, text), button);
  alert.hidden = false;
}

export function hideAlert() {
  byId('alert').hidden = true;
}
