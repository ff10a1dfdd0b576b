// Gives running widgets their new token: in the headers of their requests to Qrvey, on the way out.

import { wrapFetch } from './seamless-fetch.js';
import { wrapUpload, wrapUploadListen, wrapXhr } from './seamless-xhr.js';

/** The renewals whose tokens are looked for. */
const renewals = new Set();

/** Matches what may be an address of theirs, cheaply; which is then looked at closely. */
let candidates;

/** The page's functions that are wrapped while somebody is enrolled. */
let patches;

/**
 * Replaces a renewal's superseded tokens in requests to these origins, and renews at their 401, until
 * the returned function is called.
 */
export function enrol(renewal, origins) {
  for (const origin of origins) renewal.origins.set(origin, (renewal.origins.get(origin) ?? 0) + 1);
  renewals.add(renewal);
  look();
  patches ??= patchesOf(XMLHttpRequest.prototype);
  for (const patch of patches) patch.apply();
  return () => {
    for (const origin of origins) {
      const left = renewal.origins.get(origin) - 1;
      if (left > 0) renewal.origins.set(origin, left);
      else renewal.origins.delete(origin);
    }
    if (renewal.origins.size === 0) renewals.delete(renewal);
    look();
    if (renewals.size > 0) return;
    for (const patch of patches) patch.restore();
  };
}

/** The origin of an address if tokens may be sent there. */
export function originOf(url) {
  if (candidates === undefined || !candidates.test(url)) return undefined;
  try {
    const { origin } = new URL(url, document.baseURI);
    for (const renewal of renewals) if (renewal.origins.has(origin)) return origin;
  } catch {
    // No address at all: whoever asked for it is told so by the browser.
  }
  return undefined;
}

/**
 * What a header on its way to this origin is to say: `{ renewal, token, value }` if there is a token
 * of ours in it, `token` being the one that goes out.
 */
export function rewrite(origin, value) {
  for (const renewal of renewals) {
    const found = renewal.origins.has(origin) ? renewal.tokenIn(value) : undefined;
    if (found !== undefined) {
      const { token } = renewal.current;
      return { renewal, token, value: found === token ? value : value.replace(found, () => token) };
    }
  }
  return undefined;
}

function look() {
  const origins = new Set([...renewals].flatMap((renewal) => [...renewal.origins.keys()]));
  if (origins.size === 0) {
    candidates = undefined;
  } else if (origins.has(new URL(document.baseURI).origin)) {
    // A relative address leads there, too.
    candidates = /^/;
  } else {
    const hosts = [...origins].map((origin) => new URL(origin).host.replace(/[^\w-]/g, '\\$&'));
    // A host may be written in capitals, and an international one in its own letters.
    candidates = new RegExp(`${hosts.join('|')}|[^\\0-\\x7f]`, 'i');
  }
}

function patchesOf(prototype) {
  return [
    new Patch(globalThis, 'fetch', wrapFetch),
    ...Object.entries(wrapXhr(prototype)).map(([name, wrap]) => new Patch(prototype, name, wrap)),
    new Patch(prototype, 'upload', wrapUpload, 'get'),
    new Patch(XMLHttpRequestUpload.prototype, 'addEventListener', wrapUploadListen),
  ];
}

/** Leads from a wrapper to what it wraps, also in another copy of this package on the page. */
const INNER = Symbol.for('qrvey-auth:inner');

/** A function that is put around another in its place, which is a property's value or its getter. */
class Patch {
  #target;
  #name;
  #wrap;
  #part;
  #before;
  #outer;

  constructor(target, name, wrap, part = 'value') {
    this.#target = target;
    this.#name = name;
    this.#wrap = wrap;
    this.#part = part;
  }

  apply() {
    const [target, name, part] = [this.#target, this.#name, this.#part];
    if (this.#stands()) return;
    const before = Object.getOwnPropertyDescriptor(target, name);
    const inner = part === 'get' ? before.get : target[name];
    const outer = this.#wrap(inner);
    for (const property of ['name', 'length']) {
      if (outer[property] === inner[property]) continue;
      Object.defineProperty(outer, property, { configurable: true, value: inner[property] });
    }
    Object.defineProperty(outer, INNER, { value: inner });
    const { configurable = true, enumerable = true } = before ?? {};
    const shape = part === 'get' ? { set: before.set } : { writable: true };
    Object.defineProperty(target, name, { configurable, enumerable, ...shape, [part]: outer });
    this.#before = before;
    this.#outer = outer;
  }

  /**
   * Where somebody has put a third function around ours, it stays: with nobody enrolled it only passes
   * on, and the next to enrol finds it there.
   */
  restore() {
    if (this.#top() !== this.#outer) return;
    if (this.#before) Object.defineProperty(this.#target, this.#name, this.#before);
    else delete this.#target[this.#name];
    this.#outer = undefined;
  }

  #stands() {
    let there = this.#outer && this.#top();
    while (there && there !== this.#outer) there = there[INNER];
    return Boolean(there);
  }

  #top() {
    return Object.getOwnPropertyDescriptor(this.#target, this.#name)?.[this.#part];
  }
}
