/** What only the stand-in platform can do and tell: end tokens, lose the line, count its mints. */
import { drawBreakages } from './breakages.js';
import { byId } from './dom.js';
import { timeOfDay } from './format.js';
import { highlight } from './highlight.js';
import { onExpiredByHand } from './live.js';
import { Platform } from './platform.js';
import { onRelayRequest } from './requests.js';
import { say } from './stage.js';
import { tick } from './strip.js';
import { attempt, switchOf } from './switches.js';
import { onEntry } from './timeline.js';

const POLL_MS = 3_000;

/** As far as the page can tell, no different from a pulled plug; the relay itself still answers. */
const cutLine = {
  id: 'cut',
  title: 'The line to Qrvey is cut',
  told: 'Qrvey resets every connection, the widget’s and the relay’s. For your own network, use the browser’s offline mode.',
  toldOff: 'Connections to Qrvey work again.',
  faults: [
    ...['data', 'login', 'admin'].map((target) => ({ target, kind: 'reset' })),
    // Without the path this would hit the platform's own controls.
    { target: 'launcher', kind: 'reset', path: '.js' },
  ],
};

let platform;
let mintsBefore;
let lastId = 0;

export async function startSandbox(domain) {
  platform = new Platform(domain);
  byId('revoke').hidden = false;
  byId('cut').hidden = false;
  byId('revoke').addEventListener('click', expireAll);
  switchOf(byId('cut'), cutLine, platform, onCut);
  drawBreakages(byId('breakages'), platform);
  byId('sandbox').hidden = false;
  onEntry(look);
  onRelayRequest(look);
  setInterval(() => {
    if (document.visibilityState === 'visible') look();
  }, POLL_MS);
  await look();
}

export async function expireAll() {
  const told = 'The platform believes no token that it has minted so far.';
  if (await attempt(() => platform.revoke(), 'All tokens expired', told)) onExpiredByHand();
}

function onCut(isOn) {
  say(
    isOn
      ? 'The line to Qrvey is cut. Use the widget: its requests fail, what you see and typed stays.'
      : 'The line is back. Go on where you were.',
    isOn ? 'warning' : 'good',
  );
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
  const before = mintsBefore ?? total;
  mintsBefore = total;
  const times = total < before ? total : total - before;
  if (times > 0) tick('mints', { times });
}

function showReceived({ id, method, path, status, at_ms: atMs, body, secret_in: secretIn }) {
  lastId = id;
  byId('received-route').textContent = `${method} ${path}`;
  byId('received-status').textContent = `${status ?? 'no answer'} at ${timeOfDay(new Date(atMs))}`;
  byId('received').replaceChildren(...highlight('json', JSON.stringify(body, null, 2)));
  const places = secretIn.map((place) => place.replace(':', ' '));
  byId('received-secrets').textContent = `The API key came in: ${places.join(', ') || 'nowhere'}.`;
}
