// Qrvey's own scripts: each is loaded once for each page, and again after a failure.

import { QrveyAuthError } from './index.js';
import { LONGEST_TIMER_MS } from './timer.js';

/** Launchers under way or loaded, by their path: elements are defined once, whichever host they came from. */
const launchers = new Map();

/** How often a script was asked for in vain, by its URL. */
const failures = new Map();

/** Resolves when the element of a widget is defined; rejects with the reason of `signal`. */
export async function launch({ tag, module, classic }, base, { nonce, loadTimeoutMs = 30_000 }, signal) {
  if (customElements.get(tag)) return;
  const path = module ?? classic;
  const launcher = launchers.get(path) ?? new Launcher(base, module, classic, nonce);
  const forget = () => {
    if (launchers.get(path) !== launcher) return;
    launchers.delete(path);
    launcher.withdraw();
  };
  if (!launchers.has(path)) {
    launchers.set(path, launcher);
    // Also when nobody waits any more.
    launcher.loaded.catch(forget);
  }
  try {
    await within(
      loadTimeoutMs,
      launcher.loaded.then(() => customElements.whenDefined(tag)),
      signal,
      () =>
        failed(
          `${launcher.url} did not define <${tag}> within ${loadTimeoutMs / 1000} s: does this Qrvey version have this widget, and is the address right?`,
        ),
    );
  } catch (error) {
    // Whoever has gone says nothing about the script, which others may wait for.
    if (!signal.aborted) forget();
    throw error;
  }
}

class Launcher {
  url;
  loaded;
  #scripts = [];

  /** The module form; where that fails the classic one, which needs no CORS headers of its host. */
  constructor(base, module, classic, nonce) {
    const load = (path) => this.#load(`${base}/${path}`, path === module, nonce);
    this.url = `${base}/${module ?? classic}`;
    this.loaded = load(module ?? classic);
    if (module && classic) {
      this.loaded = this.loaded.catch((error) =>
        load(classic).catch(() => {
          throw error;
        }),
      );
    }
  }

  /** Takes the scripts out of the page, so that they can be tried again. */
  withdraw() {
    for (const script of this.#scripts) script.remove();
    failures.set(this.url, (failures.get(this.url) ?? 0) + 1);
  }

  #load(url, isModule, nonce) {
    return new Promise((resolve, reject) => {
      const script = document.createElement('script');
      if (isModule) script.type = 'module';
      if (nonce) script.nonce = nonce;
      script.async = true;
      script.onload = resolve;
      script.onerror = () =>
        reject(
          failed(
            `${url} could not be loaded: check "domain" or "widgetsUrl", and that the page's Content-Security-Policy allows that host in script-src`,
          ),
        );
      // A browser remembers that a module could not be fetched, but by the whole URL.
      const retry = failures.get(this.url);
      script.src = trusted(retry && isModule ? `${url}#${retry}` : url);
      this.#scripts.push(script);
      document.head.append(script);
    });
  }
}

/** What a promise resolves to, unless it takes too long or is no longer waited for. */
function within(ms, promise, signal, tooLong) {
  let timer;
  let abort;
  const givenUp = new Promise((_, reject) => {
    timer = setTimeout(() => reject(tooLong()), Math.min(ms, LONGEST_TIMER_MS));
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
  });
  return Promise.race([promise, givenUp]).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  });
}

let policy;

/** A script's address in the form that `require-trusted-types-for 'script'` asks for. */
function trusted(url) {
  if (!globalThis.trustedTypes) return url;
  try {
    policy ??= trustedTypes.createPolicy('qrvey-auth', { createScriptURL: (address) => address });
  } catch {
    // The page's policy does not list the name: its default policy, if there is one, decides.
    return url;
  }
  return policy.createScriptURL(url);
}

function failed(message) {
  return new QrveyAuthError({ code: 'widget_load_failed', message, retryable: true });
}
