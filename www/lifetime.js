/** The ring and the countdowns of the Composer token in use: to its end, and to the next renewal. */
import { byId } from './dom.js';
import * as format from './format.js';

/** A token is renewed when this share of its lifetime is left, give or take what chance adds for each page. */
const RENEWED_AT_SHARE = 0.15;

/** Below this share of its lifetime a token that should have been renewed is shown as about to end. */
const LOW_SHARE = 0.1;

const KEPT = 'Never shown: it is kept in memory only.';

let endsAt;
let fullMs = 0;
let isRenewed = true;
/** When a renewal that failed is tried again; null if only a person can help. */
let triedAt;
let ticking;

/** Shows a token by its length and lifetime; `null` for none, and then why there is none. */
export function showLifetime(answer, whyNone = KEPT) {
  clearInterval(ticking);
  triedAt = undefined;
  const facts = byId('token-facts');
  if (!answer) {
    endsAt = undefined;
    draw(0, 'none', 'none', '');
    facts.textContent = whyNone;
    return;
  }
  facts.textContent = `${format.count(answer.token.length)} characters, in memory only`;
  if (answer.expiresAt === undefined) {
    endsAt = undefined;
    draw(1, 'lifetime unknown', 'good', 'Renewed when Qrvey refuses it');
    return;
  }
  if (endsAt === undefined || Math.abs(answer.expiresAt - endsAt) > 1_500)
    fullMs = answer.expiresAt - Date.now();
  endsAt = answer.expiresAt;
  start();
}

/** Whether anybody renews the token that is shown. */
export function expectRenewal(isExpected) {
  isRenewed = isExpected;
}

/** @param retryInMs when it is tried again, or nothing if it is not */
export function showFailedRenewal(retryInMs) {
  triedAt = retryInMs === undefined ? null : Date.now() + retryInMs;
  start();
}

function start() {
  clearInterval(ticking);
  tick();
  ticking = setInterval(tick, 1_000);
}

function tick() {
  const now = Date.now();
  if (endsAt === undefined) {
    byId('token-next').textContent = next(now, 0);
    return;
  }
  const leftMs = endsAt - now;
  const share = Math.max(0, Math.min(1, leftMs / fullMs));
  const text = leftMs > 0 ? `${format.lifetime(leftMs)} left` : 'over';
  draw(share, text, state(leftMs, share), next(now, leftMs));
}

function state(leftMs, share) {
  if (leftMs <= 0) return 'over';
  return share < LOW_SHARE || triedAt !== undefined ? 'low' : 'good';
}

/** What is to happen next, and when. */
function next(now, leftMs) {
  if (triedAt === null) return 'No next try: only a person can help';
  if (triedAt !== undefined) {
    return triedAt > now ? `Next try in ${format.lifetime(triedAt - now)}` : 'Trying again';
  }
  if (!isRenewed) return 'Nobody renews it';
  const dueMs = leftMs - fullMs * RENEWED_AT_SHARE;
  return dueMs > 0 ? `Next renewal in about ${format.lifetime(dueMs)}` : 'Next renewal any moment';
}

function draw(share, text, state, next) {
  byId('token-remaining').textContent = text;
  byId('token-next').textContent = next;
  const ring = byId('ring');
  ring.style.setProperty('--share', share.toFixed(4));
  ring.dataset.state = state;
}
