/** “What happened”: the newest entry first, each one thing that the page did or was told. */
import { byId, element } from './dom.js';
import * as format from './format.js';

const MAX_ENTRIES = 60;
const listeners = new Set();

/** Called whenever an entry is complete. */
export const onEntry = (listener) => listeners.add(listener);

/** An entry for something that is still going on; `close` says how it ended. */
export function openEntry(title) {
  const item = element('li', { class: 'event' });
  fill(item, { kind: 'pending', title });
  const list = byId('timeline');
  byId('timeline-empty').hidden = true;
  list.prepend(item);
  while (list.children.length > MAX_ENTRIES) list.lastElementChild.remove();
  return { close: (entry) => finish(item, entry) };
}

/** An entry for something that is over. */
export function addEntry(entry) {
  openEntry(entry.title).close(entry);
}

function finish(item, entry) {
  fill(item, entry);
  for (const listener of listeners) listener(entry);
}

function fill(item, { kind, title, detail, code, requestId, durationMs }) {
  item.dataset.kind = kind;
  item.dataset.code = code ?? '';
  const heading = element('p', { class: 'event-title' }, title);
  if (code) heading.append(' ', element('code', {}, code));
  const now = new Date();
  const meta = element(
    'p',
    { class: 'event-meta' },
    element('time', { datetime: now.toISOString() }, format.timeOfDay(now)),
  );
  if (durationMs !== undefined) meta.append(element('span', {}, format.elapsed(durationMs)));
  item.replaceChildren(heading, meta);
  if (detail) item.append(element('p', { class: 'event-detail' }, detail));
  if (requestId) {
    item.append(element('p', { class: 'event-request' }, `request ${requestId}`));
  }
}
