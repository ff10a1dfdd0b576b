/** What only the stand-in platform can tell: how many tokens it minted, and what it was sent. */
import { drawBreakages } from './breakages.js';
import { byId } from './dom.js';
import { count, timeOfDay } from './format.js';
import { highlight } from './highlight.js';
import { Platform } from './platform.js';
import { onEntry } from './timeline.js';

const POLL_MS = 3_000;

let platform;
let seen = { mints: 0, total: undefined };
let lastId = 0;

export async function startSandbox(domain) {
  platform = new Platform(domain);
  drawBreakages(byId('breakages'), platform);
  byId('sandbox').hidden = false;
  onEntry(look);
  setInterval(() => {
    if (document.visibilityState === 'visible') look();
  }, POLL_MS);
  await look();
}

/** Reads the counters and the newest token call. */
async function look() {
  try {
    const [{ mints }, { entries }] = await Promise.all([platform.stats(), platform.log(lastId, 'login')]);
    countMints(mints.composer + mints.admin);
    if (entries.length > 0) showReceived(entries.at(-1));
  } catch {
    byId('received-status').textContent = 'The platform does not answer.';
  }
}

/** Counts from when the page was opened; a platform that was reset starts from zero again. */
function countMints(total) {
  const before = seen.total ?? total;
  seen = { mints: seen.mints + (total < before ? total : total - before), total };
  byId('mints-count').textContent = count(seen.mints);
}

function showReceived({ id, method, path, status, at_ms: atMs, body, secret_in: secretIn }) {
  lastId = id;
  byId('received-route').textContent = `${method} ${path}`;
  byId('received-status').textContent = `${status ?? 'no answer'} at ${timeOfDay(new Date(atMs))}`;
  byId('received').replaceChildren(...highlight('json', JSON.stringify(body, null, 2)));
  const places = secretIn.map((place) => place.replace(':', ' '));
  byId('received-secrets').textContent = `The API key came in: ${places.join(', ') || 'nowhere'}.`;
}
