/** A request that did not bring what it should. `kind`: `expired`, `refused`, `unreachable`. */
export class PlatformError extends Error {
  constructor(kind, message, status) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

/**
 * The way to the platform. The token stays in this closure: it is put into the header of each request
 * and nowhere else.
 */
export function openPlatform({ domain, token, name }) {
  const refusal = (status, message) => {
    if (status !== 401)
      return new PlatformError('refused', message ?? `The platform answered ${status}.`, status);
    window.dispatchEvent(new CustomEvent('qvTokenExpired', { detail: { trigger: `${name} Widget` } }));
    return new PlatformError('expired', 'The session needs renewing.', status);
  };

  const request = async (path, { body, ...init }) => {
    const headers = new Headers(token === undefined ? {} : { authorization: `Bearer ${token}` });
    if (body !== undefined) headers.set('content-type', 'application/json');
    let response;
    try {
      response = await fetch(new Request(domain + path, { ...init, headers, body: encode(body) }));
    } catch (error) {
      throw init.signal?.aborted
        ? error
        : new PlatformError('unreachable', 'The platform cannot be reached.');
    }
    if (!response.ok) throw refusal(response.status, await messageOf(response));
    return response;
  };

  const send = (method, path, { body, signal } = {}) =>
    new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      const abort = () => xhr.abort();
      const settle = (action) => (event) => {
        signal?.removeEventListener('abort', abort);
        action(event);
      };
      xhr.open(method, domain + path);
      xhr.setRequestHeader('content-type', 'application/json');
      if (token !== undefined) xhr.setRequestHeader('x-qv-token', token);
      xhr.responseType = 'json';
      xhr.onload = settle(() => {
        if (xhr.status < 200 || xhr.status > 299) reject(refusal(xhr.status, xhr.response?.message));
        else if (xhr.response === null) reject(unreadable(xhr.status));
        else resolve(xhr.response);
      });
      xhr.onerror = settle(() => reject(unreachable()));
      xhr.onabort = settle(() => reject(signal.reason));
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', abort);
      return xhr.send(encode(body));
    });

  return Object.freeze({
    /** GET, POST, PUT or DELETE with `fetch`; resolves to the JSON answer, or null if it is empty. */
    async call(method, path, { body, signal } = {}) {
      const response = await request(path, { method, body, signal });
      const text = await response.text().catch((error) => {
        throw signal?.aborted ? error : unreachable();
      });
      return text === '' ? null : parse(text, response.status);
    },

    /** The same with `XMLHttpRequest`. */
    send,

    /** A question to a dataset, with `XMLHttpRequest`. */
    query: (query, { signal } = {}) => send('POST', '/data/v1/query', { body: query, signal }),

    /** A streamed answer: `total` rows if the platform says, and the text piece by piece. */
    async stream(method, path, { body, signal } = {}) {
      const response = await request(path, { method, body, signal });
      const total = Number(response.headers.get('x-total-rows') ?? NaN);
      return { total, pieces: pieces(response.body, signal) };
    },
  });
}

const encode = (body) => (body === undefined ? undefined : JSON.stringify(body));

async function* pieces(stream, signal) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw signal?.aborted ? error : new PlatformError('unreachable', 'The connection broke off.');
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parse(text, status) {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable(status);
  }
}

const unreachable = () => new PlatformError('unreachable', 'The platform cannot be reached.');

const unreadable = (status) =>
  new PlatformError('refused', 'The platform answered what cannot be read.', status);

async function messageOf(response) {
  try {
    return (await response.json()).message;
  } catch {
    return undefined;
  }
}
