/**
 * Counts the page's requests to the relay as the browser itself saw them, so that “one request for a
 * thousand calls” is a measurement and not a claim.
 */

/** Entries arrive a moment after the answer they belong to. */
const QUIET_MS = 60;

let total = 0;
const listeners = new Set();

function note(entries) {
  const asked = entries.filter((entry) => new URL(entry.name).pathname.endsWith('-token')).length;
  if (asked === 0) return;
  total += asked;
  for (const listener of listeners) listener(total);
}

const observer = new PerformanceObserver((list) => note(list.getEntries()));
observer.observe({ type: 'resource', buffered: true });

export const requestCount = () => total;

export const onRequests = (listener) => listeners.add(listener);

/** The count once the browser has reported everything that has happened so far. */
export async function settledRequestCount() {
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  note(observer.takeRecords());
  return total;
}
