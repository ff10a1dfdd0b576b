// One renewal for all widgets of a client that want the same token.

import { LONGEST_TIMER_MS } from './timer.js';
import { outside } from './zone.js';

/** Answers that only a person can change. */
const FINAL = new Set(['not_signed_in', 'forbidden', 'unknown_profile', 'invalid_options']);

const LONGEST_DELAY_MS = 60_000;

/** No token in memory lasts that long: whoever wants one asks, or waits for who is asking. */
const NEVER_HELD_MS = Number.MAX_SAFE_INTEGER;

/** Tokens of the past that are still recognised in a widget's requests. */
const MOST_SUPERSEDED = 128;

/** A token's end may be told by several widgets and requests at once; that is one refusal. */
const ONE_REFUSAL_MS = 10_000;

/** When a refusal was last seen or handed on, whoever's it was: an event of Qrvey's does not say. */
let refusedAtMs = Number.NEGATIVE_INFINITY;

/** Whether the refusal that an event tells of may be one that was seen and dealt with. */
export const isRefusalKnown = () => performance.now() - refusedAtMs < ONE_REFUSAL_MS;

/** By client, then by what is asked of it. */
const renewals = new WeakMap();

export class Renewal {
  /** The token in use: `{ token, expiresAt, domain }`. */
  current;
  /** How often an embed may send the token to an origin, by origin; kept by `seamless.js`. */
  origins = new Map();

  #client;
  #options;
  #forget;
  #members = new Set();
  #superseded = new Set();
  #watching = new AbortController();
  #first;
  #renewing;
  /** Set while the client renews ahead of the token's end. */
  #isExpiring = false;
  #failures = 0;
  #failedUntilMs = 0;
  /** Until then the relay does not want to be asked. */
  #barredUntilMs = 0;
  /** Renewals in a row that a refusal forced, and when the last began. */
  #forced = 0;
  #forcedAtMs = Number.NEGATIVE_INFINITY;
  #timer;

  /** The renewal that widgets of this client share when they want this token. */
  static of(client, { forceRefresh, detailedResponse, ...options }) {
    if (!renewals.has(client)) renewals.set(client, new Map());
    const known = renewals.get(client);
    const key = keyOf(options);
    if (!known.has(key)) {
      const renewal = new Renewal(client, options, () => {
        if (known.get(key) === renewal) known.delete(key);
      });
      known.set(key, renewal);
    }
    return known.get(key);
  }

  constructor(client, options, forget) {
    this.#client = client;
    this.#options = options;
    this.#forget = forget;
  }

  /**
   * Resolves when there is a token, and not before `ready` does. From then on `member.deliver()` is called for
   * each new one, and `member.tell(type, detail)` for what else happens, until it leaves.
   */
  async join(member, ready) {
    this.#members.add(member);
    if (ready) await ready;
    this.#first ??= outside(() => this.#watch());
    await this.#first;
  }

  leave(member) {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#end();
  }

  /** Asks for a new token, whatever is held; callers at the same time share one request. */
  renew() {
    this.#renewing ??= outside(() =>
      this.#ask().finally(() => {
        this.#renewing = undefined;
      }),
    );
    return this.#renewing;
  }

  /** Takes note that the platform refused a token; resolves to what to use instead, if there is anything. */
  async refused(token) {
    refusedAtMs = performance.now();
    if (token !== this.current.token) return this.current.token;
    await this.#force();
    // Only now does the widget hear of it, if it has to.
    refusedAtMs = performance.now();
    return token === this.current.token ? undefined : this.current.token;
  }

  /** Takes note that some widget's token is over, as its event says. */
  expired() {
    return this.#force();
  }

  /** The token in a header's value that is this renewal's, in use or superseded. */
  tokenIn(value) {
    const { token } = this.current ?? {};
    if (token === undefined || this.#isOver) return undefined;
    if (holds(value, token)) return token;
    for (const old of this.#superseded) {
      if (holds(value, old)) return old;
    }
    return undefined;
  }

  async #watch() {
    try {
      const { signal } = this.#watching;
      await this.#client.watch((detail, event) => this.#hear(detail, event), { ...this.#options, signal });
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** With it ends all that is asked of the client: whoever is signed in now may be somebody else. */
  get #isOver() {
    return this.#watching.signal.aborted;
  }

  #end() {
    this.#watching.abort();
    this.#settled();
    this.#forget();
  }

  /** Takes a token, or what happens to it. */
  #hear({ kind, profile, ...news }, event) {
    if (event === undefined) return this.#receive(news);
    if (event === 'renewed') return;
    // Without a status it was not the relay that said so, but `clearTokens()`.
    if (news.error?.code === 'not_signed_in' && news.error.status === undefined) this.#end();
    this.#isExpiring = event === 'expiring';
    this.#tell(event, news);
  }

  #receive(details) {
    const before = this.current;
    this.current = details;
    this.#isExpiring = false;
    this.#failures = 0;
    this.#failedUntilMs = 0;
    this.#settled();
    if (before === undefined || before.token === details.token) return;
    this.#superseded.delete(details.token);
    this.#superseded.add(before.token);
    if (this.#superseded.size > MOST_SUPERSEDED) {
      this.#superseded.delete(this.#superseded.values().next().value);
    }
    for (const member of [...this.#members]) member.deliver();
  }

  async #ask() {
    const { signal } = this.#watching;
    const before = this.current;
    try {
      const get = (how) =>
        this.#client.getComposerToken({ ...this.#options, ...how, detailedResponse: true, signal });
      // A renewal whose time has come may be under way, and its token do as well as one that is asked for.
      let details = this.#isDue ? await get({ minLifetimeMs: NEVER_HELD_MS }) : before;
      if (details.token === before.token) details = await get({ forceRefresh: true });
      // The watch has delivered it by now; this is for a client whose watch is over.
      if (details.token !== this.current.token) this.#receive(details);
    } catch (error) {
      if (signal.aborted) throw error;
      const wait = Math.min(1_000 * 2 ** this.#failures, LONGEST_DELAY_MS) * (0.5 + Math.random() / 2);
      this.#failures += 1;
      const retryInMs = FINAL.has(error.code) ? undefined : Math.max(wait, (error.retryAfter ?? 0) * 1_000);
      this.#failedUntilMs = performance.now() + (retryInMs ?? LONGEST_DELAY_MS);
      this.#barredUntilMs = performance.now() + (error.retryAfter ?? 0) * 1_000;
      if (retryInMs !== undefined) this.#later(retryInMs);
      this.#tell('failed', { error, retryInMs });
      throw error;
    }
  }

  /** Whether the client renews the token by itself at this time. */
  get #isDue() {
    return this.#isExpiring || this.current.expiresAt <= Date.now();
  }

  /** Renews because a token was refused; not in a loop, should the platform refuse every token. */
  async #force() {
    if (this.#isOver) return;
    if (!this.#renewing) {
      const nowMs = performance.now();
      const sinceMs = nowMs - this.#forcedAtMs;
      const gapMs = this.#forced < 2 ? 0 : Math.min(1_000 * 2 ** (this.#forced - 1), LONGEST_DELAY_MS);
      const waitMs = Math.max(this.#failedUntilMs - nowMs, gapMs - sinceMs);
      if (waitMs > 0) {
        this.#later(waitMs);
        return;
      }
      this.#forced = sinceMs > LONGEST_DELAY_MS ? 1 : this.#forced + 1;
      this.#forcedAtMs = nowMs;
    }
    await this.renew().catch(() => {});
  }

  #later(ms) {
    if (this.#timer !== undefined) return;
    outside(() => {
      this.#timer = setTimeout(() => this.#again(), Math.min(ms, LONGEST_TIMER_MS));
      addEventListener('online', this.#again);
      document.addEventListener('visibilitychange', this.#again);
    });
  }

  #again = (event) => {
    if (event && (document.visibilityState === 'hidden' || performance.now() < this.#barredUntilMs)) return;
    this.#settled();
    this.renew().catch(() => {});
  };

  /** Nothing is left to be tried again. */
  #settled() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    removeEventListener('online', this.#again);
    document.removeEventListener('visibilitychange', this.#again);
  }

  #tell(type, detail) {
    for (const member of [...this.#members]) member.tell(type, detail);
  }
}

/** Equal for equal options. What cannot be told has a key of its own: the client will refuse it, and say why. */
function keyOf(options) {
  try {
    const { headers } = options;
    const told = typeof headers === 'function' ? '()' : headers && [...new Headers(headers)];
    return JSON.stringify({ ...options, headers: told });
  } catch {
    return options;
  }
}

/** Whether a header's value is the token, or has it as a word of its own. */
function holds(value, token) {
  if (value.length === token.length) return value === token;
  const at = value.indexOf(token);
  if (at === -1) return false;
  const [before, after] = [value[at - 1], value[at + token.length]];
  // The characters of a token, of which `=` is one at the end alone.
  return !(before && /[\w.~+/-]/.test(before)) && !(after && /[\w.~+/=-]/.test(after));
}
