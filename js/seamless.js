// Gives running widgets their new token: in the headers of their requests to Qrvey, on the way out.

import { wrapFetch } from './seamless-fetch.js';
import { wrapUpload, wrapUploadListen, wrapXhr } from './seamless-xhr.js';

/** The renewals whose tokens are looked for. */
const renewals = new Set();

/** Matches what may be an address of theirs, cheaply; which is then looked at closely. */
let candidates;

/** Take the page's functions out of our hands again, one by one; each tells whether it could. */
let restores = [];

/** Under it a wrapper of ours has its link: what is beneath. So do those of other copies of this package. */
const LINK = Symbol.for('qrvey-auth.link');

/**
 * Replaces a renewal's superseded tokens in requests to these origins, and renews at their 401, until
 * the returned function is called. Throws if the page does not let its functions be replaced.
 */
export function enrol(renewal, origins) {
  if (renewals.size === 0) install();
  for (const origin of origins) renewal.origins.set(origin, (renewal.origins.get(origin) ?? 0) + 1);
  renewals.add(renewal);
  look();
  return () => {
    for (const origin of origins) {
      const left = renewal.origins.get(origin) - 1;
      if (left > 0) renewal.origins.set(origin, left);
      else renewal.origins.delete(origin);
    }
    if (renewal.origins.size === 0) renewals.delete(renewal);
    look();
    if (renewals.size === 0) restore();
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

/** What could not be taken away in the past may be within reach by now. */
function restore() {
  restores = restores.filter((restore) => !restore());
}

function install() {
  restore();
  const { prototype } = XMLHttpRequest;
  try {
    for (const [target, name, wrap, part] of [
      [globalThis, 'fetch', wrapFetch],
      ...Object.entries(wrapXhr(prototype)).map(([name, wrap]) => [prototype, name, wrap]),
      [prototype, 'upload', wrapUpload, 'get'],
      [XMLHttpRequestUpload.prototype, 'addEventListener', wrapUploadListen],
    ]) {
      restores.push(patch(target, name, wrap, part));
    }
  } catch (error) {
    restore();
    throw error;
  }
}

/**
 * Puts a function around another in its place, which is a property's value or its getter. What is returned
 * takes it out, from beneath other copies of this package, too. Where somebody else has put a third around
 * it, it stays: with nobody enrolled it only passes on.
 */
function patch(target, name, wrap, part = 'value') {
  const find = () => Object.getOwnPropertyDescriptor(target, name);
  const before = find();
  const inner = part === 'get' ? before.get : target[name];
  const link = { before, inner };
  const outer = wrap(link);
  for (const property of ['name', 'length']) {
    if (outer[property] === inner[property]) continue;
    Object.defineProperty(outer, property, { configurable: true, value: inner[property] });
  }
  Object.defineProperty(outer, LINK, { value: link });
  const { configurable = true, enumerable = true } = before ?? {};
  const shape = part === 'get' ? { set: before.set } : { writable: true };
  Object.defineProperty(target, name, { configurable, enumerable, ...shape, [part]: outer });
  return () => {
    let above;
    let found = find()?.[part];
    while (found && found !== outer) {
      above = found[LINK];
      found = above?.inner;
    }
    if (found !== outer) return false;
    if (above) Object.assign(above, link);
    else if (link.before) Object.defineProperty(target, name, link.before);
    else delete target[name];
    return true;
  };
}
