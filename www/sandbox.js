/** “Break it”: switches of the stand-in platform, and what it received. Only in sandbox mode. */
import { byId, element } from './dom.js';
import { count, timeOfDay } from './format.js';
import { highlight } from './highlight.js';
import { Platform } from './platform.js';
import { addEntry, onEntry } from './timeline.js';

const POLL_MS = 3_000;
const TEN_MINUTES_MS = 600_000;

/** Done once, at the press of a button. */
const deeds = [
  {
    id: 'revoke',
    title: 'Revoke all tokens now',
    detail: 'The widget’s next request is refused; the page renews without a question.',
    told: 'Every token was revoked. Now use the widget: sort, filter, turn a page.',
    run: (platform) => platform.revoke(),
  },
  {
    id: 'advance-clock',
    title: 'Move the platform’s clock on by ten minutes',
    detail: 'Every token outlives its time at once, as after a night’s sleep.',
    told: 'The platform’s clock is ten minutes ahead.',
    run: (platform) => platform.advance(TEN_MINUTES_MS),
  },
];

/** On until switched off. */
const faults = [
  {
    id: 'fault-login-down',
    title: 'Refuse token calls with 503',
    detail: 'Force a new token: upstream_unavailable, after two retries.',
    fault: { target: 'login', kind: 'status', status: 503 },
  },
  {
    id: 'fault-login-html',
    title: 'Answer token calls with a web page',
    detail: 'It does not become the token.',
    fault: { target: 'login', kind: 'html' },
  },
  {
    id: 'fault-login-slow',
    title: 'Answer token calls 2 s late',
    detail: 'Ask a thousand times meanwhile: still one request.',
    fault: { target: 'login', kind: 'delay', delay_ms: 2_000 },
  },
  {
    id: 'fault-launcher',
    title: 'Lose the widgets’ scripts',
    detail: 'Reload the page: widget_load_failed, and “Try again” works once they are back.',
    fault: { target: 'launcher', kind: 'status', status: 503 },
  },
];

let platform;
let mintsAtStart;
let lastSeen = 0;
const on = new Set();

export async function startSandbox(domain) {
  platform = new Platform(domain);
  byId('sandbox').hidden = false;
  byId('sandbox-link').hidden = false;
  const items = [...deeds.map(deedButton), ...faults.map(faultSwitch), resetButton()];
  byId('breakages').replaceChildren(...items.map((item) => element('li', {}, item)));
  onEntry(() => look());
  setInterval(() => {
    if (document.visibilityState === 'visible') look();
  }, POLL_MS);
  await look();
}

function deedButton({ id, title, detail, told, run }) {
  const button = breakage(id, title, detail);
  button.addEventListener('click', () => attempt(() => run(platform), told));
  return button;
}

function faultSwitch({ id, title, detail, fault }) {
  const button = breakage(id, title, detail);
  button.setAttribute('aria-pressed', 'false');
  button.addEventListener('click', () => {
    if (!on.delete(fault)) on.add(fault);
    button.setAttribute('aria-pressed', String(on.has(fault)));
    attempt(() => platform.faults([...on]), on.has(fault) ? `On: ${title}.` : `Off: ${title}.`);
  });
  return button;
}

function resetButton() {
  const button = breakage('reset', 'Mend everything', 'All switches off, the clock right.');
  button.addEventListener('click', () => {
    on.clear();
    for (const { id } of faults) byId(id).setAttribute('aria-pressed', 'false');
    mintsAtStart = undefined;
    lastSeen = 0;
    attempt(() => platform.reset(), 'The platform is as it was at the start.');
  });
  return button;
}

function breakage(id, title, detail) {
  return element(
    'button',
    { id, type: 'button', class: 'breakage' },
    element('span', { class: 'breakage-title' }, title),
    element('span', { class: 'breakage-detail' }, detail),
  );
}

async function attempt(run, told) {
  try {
    await run();
    say(told);
    addEntry({ kind: 'platform', title: 'The platform was tampered with', detail: told });
  } catch {
    say('The platform does not answer.');
  }
}

const say = (text) => {
  byId('sandbox-status').textContent = text;
};

/** Reads the counters and the newest token call. */
async function look() {
  try {
    const [{ mints }, { entries }] = await Promise.all([platform.stats(), platform.log(lastSeen, 'login')]);
    const total = mints.composer + mints.admin;
    mintsAtStart ??= total;
    byId('mints-count').textContent = count(total - mintsAtStart);
    if (entries.length > 0) showReceived(entries.at(-1));
  } catch {
    byId('mints-count').textContent = '?';
    byId('received-status').textContent = 'The platform does not answer.';
  }
}

function showReceived({ id, method, path, status, at_ms: atMs, body, secret_in: secretIn }) {
  lastSeen = id - 1;
  byId('received-route').textContent = `${method} ${path}`;
  byId('received-status').textContent = `${status ?? 'no answer'} at ${timeOfDay(new Date(atMs))}`;
  byId('received').replaceChildren(...highlight('json', JSON.stringify(body, null, 2)));
  byId('received-secrets').textContent = `The API key came in: ${secretIn.join(', ') || 'nowhere'}.`;
}
