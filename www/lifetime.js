/** The ring and the countdown of the Composer token in use. */
import { byId } from './dom.js';
import * as format from './format.js';

/** Below this share of its lifetime a token is shown as about to end. */
const LOW_SHARE = 0.2;

let endsAt;
let fullMs = 0;
let ticking;

const KEPT = 'Never shown: it is kept in memory only.';

/** Shows a token by its length and lifetime; `null` for none, and then why there is none. */
export function showLifetime(answer, whyNone = KEPT) {
  clearInterval(ticking);
  const facts = byId('token-facts');
  if (!answer) {
    endsAt = undefined;
    draw(0, 'none', 'none');
    facts.textContent = whyNone;
    return;
  }
  facts.textContent = `${format.count(answer.token.length)} characters, in memory only`;
  if (answer.expiresAt === undefined) {
    endsAt = undefined;
    draw(1, 'lifetime unknown', 'good');
    return;
  }
  if (endsAt === undefined || Math.abs(answer.expiresAt - endsAt) > 1_500)
    fullMs = answer.expiresAt - Date.now();
  endsAt = answer.expiresAt;
  tick();
  ticking = setInterval(tick, 1_000);
}

function tick() {
  const leftMs = endsAt - Date.now();
  if (leftMs <= 0) {
    clearInterval(ticking);
    draw(0, 'over; the next call renews it', 'over');
    return;
  }
  const share = Math.min(1, leftMs / fullMs);
  draw(share, `${format.lifetime(leftMs)} left`, share < LOW_SHARE ? 'low' : 'good');
}

function draw(share, text, state) {
  byId('token-remaining').textContent = text;
  const ring = byId('ring');
  ring.style.setProperty('--share', share.toFixed(4));
  ring.dataset.state = state;
}
