import { originOf, rewrite } from './seamless.js';

/** The request that is being handed down: an older wrapper further down lets it pass. */
let passing;

/** `fetch` for a page with widgets, around `link.inner`: what is not theirs goes through untouched. */
export function wrapFetch(link) {
  return function (...args) {
    const [input, init] = args;
    if (input === passing || originOf(addressOf(input)) === undefined)
      return Reflect.apply(link.inner, this, args);
    return send(this, link, input, init);
  };
}

function addressOf(input) {
  if (typeof input === 'string') return input;
  // Of a `Request`, which may come from a frame, or a `URL`.
  return input?.url ?? input?.href ?? '';
}

function send(self, link, input, init) {
  let request;
  try {
    request = new Request(input, init);
  } catch {
    return link.inner.call(self, input, init);
  }
  const call = (what) => {
    const before = passing;
    passing = what;
    try {
      return link.inner.call(self, what);
    } finally {
      passing = before;
    }
  };
  const sent = renewIn(request);
  if (!sent) return call(request);
  // A stream can be read once, and keeping a copy of all that it brings would be no favour.
  const spare = init?.body instanceof ReadableStream ? undefined : request.clone();
  return call(request).then((response) => {
    if (response.status === 401) return again(response, sent, spare, call);
    spare?.body?.cancel().catch(() => {});
    return response;
  });
}

/** Puts the token in use into a request's headers; tells which, if there was one of ours. */
function renewIn({ url, headers }) {
  const origin = originOf(url);
  let sent;
  for (const [name, value] of [...headers]) {
    const found = rewrite(origin, value);
    if (!found) continue;
    sent = found;
    if (found.value !== value) headers.set(name, found.value);
  }
  return sent;
}

/** The answer to a request that was refused: to a second one with a new token, or else the refusal. */
function again(response, { renewal, token }, spare, call) {
  const renewed = renewal.refused(token);
  if (!spare) return response;
  return unlessAborted(renewed, spare.signal).then(
    (current) => {
      if (current === undefined) return response;
      response.body?.cancel().catch(() => {});
      renewIn(spare);
      return call(spare);
    },
    (reason) => {
      response.body?.cancel().catch(() => {});
      throw reason;
    },
  );
}

function unlessAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    return promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
