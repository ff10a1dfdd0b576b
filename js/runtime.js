// Loads the WebAssembly instance once, and replaces it after a panic.

// The instance travels inside the script: no second request, no MIME type, no bundler setting.
import embedded from '../target/bindgen/qrvey_auth.embedded.js';
import * as bindings from '../target/bindgen/qrvey_auth.js';
import { bytes } from './bytes.js';
import { QrveyAuthError } from './error.js';
import { takeTurn, tell } from './tabs.js';
import { UNSTARTABLE } from './unstartable.js';

/** Set while an instance is fit for use. */
let current;
let loading;
let lost = false;

/** Who wants to be told, with nothing, that the instance was lost. */
export const survivors = new Set();

/** How to reject each promise that the instance has still to settle. */
const pending = new Set();

/** What the Rust side calls. */
const host = {
  takeTurn,
  tell,
  async send(request, headers) {
    const now = await (typeof headers === 'function' ? headers() : headers);
    for (const [name, value] of new Headers(now ?? {})) request.headers.set(name, value);
    return fetch(request);
  },
  error: (details, cause) => new QrveyAuthError(details, cause),
  panicked(file, line) {
    current = loading = undefined;
    lost = true;
    const error = internal(new Error(`panicked at ${file}:${line}`));
    for (const reject of pending) reject(error);
    pending.clear();
    for (const survivor of survivors) queueMicrotask(survivor);
  },
};

/** The instance, if it is loaded. */
export const instance = () => current;

/** The instance; loads it on first use, and again after a failure. */
export function load() {
  loading ??= instantiate().then(
    () => (current = { Client: bindings.Client }),
    (cause) => {
      loading = undefined;
      throw cause;
    },
  );
  return loading;
}

async function instantiate() {
  for (const name of ['fetch', 'WebAssembly', 'AbortController']) {
    if (!globalThis[name]) {
      throw new QrveyAuthError({
        code: 'unsupported_environment',
        message: `${name} is missing here: ask for tokens in a browser, a worker, or Node 20 and later`,
      });
    }
  }
  try {
    if (lost) bindings.__wbg_reset_state();
    else bindings.initSync({ module: await WebAssembly.compile(bytes(embedded)) });
    lost = false;
    bindings.start(host);
  } catch (cause) {
    throw new QrveyAuthError(UNSTARTABLE, cause);
  }
}

/** Calls a method of the instance; what it answers settles, even if the instance is lost before it does. */
export function settle(rust, method, a, b, c, d) {
  let answer;
  try {
    answer = rust[method](a, b, c, d);
  } catch (error) {
    throw error instanceof WebAssembly.RuntimeError ? internal(error) : error;
  }
  if (!(answer instanceof Promise)) return answer;
  return new Promise((resolve, reject) => {
    pending.add(reject);
    answer.then(resolve, reject).then(() => pending.delete(reject));
  });
}

function internal(cause) {
  return new QrveyAuthError(
    {
      code: 'internal',
      message: 'a fault in qrvey-auth itself, please report it; the next call starts afresh',
      retryable: true,
    },
    cause,
  );
}
