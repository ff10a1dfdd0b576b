import { h } from '../base/dom.js';

/** The button that saves a draft, and whether it has been saved. */
export function createSaveBar(save) {
  const state = h('span', { class: 'tag', role: 'status' });
  const button = h(
    'button',
    { type: 'button', class: 'button primary', 'data-action': 'save', onclick: save },
    'Save',
  );
  return {
    element: h('div', { class: 'row' }, state, button),
    show(isSaved) {
      state.dataset.saved = isSaved;
      state.textContent = isSaved ? 'Saved' : 'Not saved yet';
    },
  };
}
