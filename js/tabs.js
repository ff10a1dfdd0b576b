// What the tabs of an origin say to each other, in memory: a renewed token, or that the user has signed out.

/** How long a tab waits for another that renews, in milliseconds, before it goes on by itself. */
const PATIENCE_MS = 5_000;
/** How long after another tab's turn its message may still be under way, in milliseconds. */
const DELIVERY_MS = 50;

const members = new Set();
let channel;

/** Calls `hear` with `member` and what another tab says, without keeping `member` alive. */
export function join(member, hear) {
  members.add({ weak: new WeakRef(member), hear });
  open();
}

function open() {
  if (channel || !globalThis.BroadcastChannel) return;
  try {
    channel = new BroadcastChannel('qrvey-auth');
  } catch {
    // Firefox, where the user lets this site store nothing.
    return;
  }
  channel.unref?.();
  channel.onmessage = ({ data }) => {
    for (const entry of members) {
      const member = entry.weak.deref();
      if (member) entry.hear(member, data);
      else members.delete(entry);
    }
  };
}

/** Tells the other tabs; this one hears nothing of it. */
export function tell(message) {
  open();
  channel?.postMessage(message);
}

/**
 * Resolves, to a function that ends the turn, when no other tab is at work under this name. A tab that
 * dies ends its turn with that; for one that is frozen nobody waits longer than the patience above.
 */
export function takeTurn(name) {
  const { locks } = globalThis.navigator ?? {};
  if (!locks) return Promise.resolve();
  return new Promise((resolve) => {
    const hold = (delayMs) => () => new Promise((end) => setTimeout(resolve, delayMs, end));
    const waited = hold(DELIVERY_MS);
    const lock = `qrvey-auth:${name}`;
    locks
      .request(lock, { ifAvailable: true }, (free) => {
        if (free) return hold(0)();
        const signal = AbortSignal.timeout(PATIENCE_MS);
        locks.request(lock, { signal }, waited).catch(() => resolve());
      })
      .catch(() => resolve());
  });
}
