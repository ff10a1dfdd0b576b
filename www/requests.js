/**
 * The page's requests as the browser itself saw them, so that “one request for a thousand calls” is a
 * measurement and not a claim.
 */
import { tick } from './strip.js';

/** Entries arrive a moment after the answer they belong to. */
const QUIET_MS = 60;

let total = 0;
let platform;
const listeners = new Set();

function note(entries) {
  for (const { name, initiatorType, responseStatus } of entries) {
    const { origin, pathname } = new URL(name);
    // 0 where nothing was answered; browsers that do not tell leave it out.
    const tone = responseStatus === 0 || responseStatus >= 400 ? 'bad' : 'good';
    if (origin === location.origin && pathname.endsWith('-token')) {
      total += 1;
      tick('relay', { tone });
      for (const listener of listeners) listener();
    } else if (origin === platform && initiatorType !== 'script' && !isAside(pathname)) {
      tick('widget', { tone });
    }
  }
}

/** The page's own look behind the scenes, and the modules that a launcher imports. */
const isAside = (pathname) => pathname.startsWith('/_sandbox/') || pathname.endsWith('.js');

const observer = new PerformanceObserver((list) => note(list.getEntries()));

export function observeRequests(platformDomain) {
  platform = new URL(platformDomain).origin;
  observer.observe({ type: 'resource', buffered: true });
}

export const requestCount = () => total;

/** Called for each request to the relay. */
export const onRelayRequest = (listener) => listeners.add(listener);

/** The count once the browser has reported everything that has happened so far. */
export async function settledRequestCount() {
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  note(observer.takeRecords());
  return total;
}
