/** The form for a widget's settings: JSON that the module itself checks, and how to renew. */
import { byId, element } from './dom.js';

/** What the module refuses in any widget, whatever else is written. */
const MISTAKES = [
  { name: 'A wrong type', settings: { domain: 42 } },
  { name: 'An API key', settings: { apiKey: 'not-a-real-one' } },
];

let current;

/** @param onApply called with `{ settings, renew }`; what it rejects with is shown in the form */
export function startSettings(onApply) {
  const form = byId('settings-form');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    fail(null);
    const renew = new FormData(form).get('renew');
    try {
      await onApply({ settings: parse(byId('settings-json').value), renew });
    } catch (error) {
      fail(error);
    }
  });
  byId('settings-json').addEventListener('input', () => fail(null));
}

/** Fills the form in for a widget and the settings that it has. */
export function drawSettings({ widget, settings, renew }) {
  current = widget;
  fill(settings ?? {});
  for (const radio of document.getElementsByName('renew')) radio.checked = radio.value === renew;
  const variants = Object.entries(widget.variants ?? {}).map(([name, variant]) => ({
    name,
    settings: variant,
  }));
  const mistakes = MISTAKES.map((mistake) => ({
    ...mistake,
    settings: { ...widget.settings, ...mistake.settings },
  }));
  byId('settings-variants').replaceChildren(
    ...[...variants, { name: 'As it was', settings: widget.settings ?? {} }, ...mistakes].map(filler),
  );
}

function filler({ name, settings }) {
  const button = element('button', { type: 'button', class: 'button small' }, name);
  button.addEventListener('click', () => fill(settings));
  return element('li', {}, button);
}

function fill(settings) {
  byId('settings-json').value = JSON.stringify(settings, null, 2);
  fail(null);
}

function parse(text) {
  const settings = JSON.parse(text.trim() || '{}');
  if (settings === null || typeof settings !== 'object' || Array.isArray(settings)) {
    throw new TypeError('Settings are a JSON object: { "key": "value" }.');
  }
  return Object.keys(settings).length === 0 && !current.settings ? undefined : settings;
}

function fail(error) {
  const line = byId('settings-error');
  byId('settings-json').setAttribute('aria-invalid', String(error !== null));
  if (error === null) {
    line.replaceChildren();
    return;
  }
  const code = element('code', {}, error.code ?? error.name);
  line.replaceChildren(code, ` ${error.message}`);
}
