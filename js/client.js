import { QrveyAuthError } from './error.js';
import { instance, load, settle, survivors } from './runtime.js';
import { join, tell } from './tabs.js';

/** The events of a page after which a token may be over, or a renewal that failed may succeed. */
const AWAKENINGS = [
  [globalThis, 'online'],
  [globalThis, 'pageshow'],
  [globalThis.document, 'visibilitychange'],
  [globalThis.document, 'resume'],
];

/** The JavaScript face of the Rust client: loads the module on first use and hands calls on. */
export class QrveyClient extends EventTarget {
  #defaults;
  #wasm;
  #rust;
  #cleared = 0;
  /** What calls without options wait for that were made in this turn of the event loop. */
  #shared = {};
  /** What is being watched, to be taken up again should the instance be lost. */
  #watches = new Set();
  /** This client for widgets, whose calls say all that they mean: `configure` changes nothing for them. */
  #forWidgets = {
    getComposerToken: async (options) => this.#ask('composer', options, true),
    watch: (hear, options) => this.#watch(false, hear, options, true),
  };
  #wake = () => {
    if (globalThis.document?.visibilityState !== 'hidden') this.#attached()?.wake();
  };
  #survive = () => {
    for (const watch of this.#watches) watch().catch(() => {});
  };

  constructor(defaults) {
    super();
    this.#defaults = { ...defaults };
  }

  getComposerToken(options) {
    return this.#token('composer', options);
  }

  getAdminToken(options) {
    return this.#token('admin', options);
  }

  async watch(callback, given) {
    if (typeof callback !== 'function') throw invalid('the first argument of watch must be a function');
    const { kind = 'composer', ...options } = given ?? {};
    if (kind !== 'composer' && kind !== 'admin') throw invalid('option "kind" must be "composer" or "admin"');
    const deliver = (details, event) => event === undefined && callback(details);
    await this.#watch(kind === 'admin', deliver, options);
  }

  /** `hear` gets the details of each token, and the detail and the type of each event about them. */
  async #watch(isAdmin, hear, options, areWhole) {
    const tell = (detail, event) => {
      try {
        hear(detail, event);
      } catch (error) {
        // `reportError`, which Node has not.
        queueMicrotask(() => {
          throw error;
        });
      }
    };
    const watch = async () => this.#ask('watch', isAdmin, tell, options, areWhole);
    const signal = options.signal ?? this.#defaults.signal;
    const cleared = this.#cleared;
    await watch();
    // The callback itself may have ended it.
    if (signal?.aborted || cleared !== this.#cleared) return;
    this.#hold(watch);
    signal?.addEventListener('abort', () => this.#release(watch), { once: true });
  }

  async embed(options) {
    const [defaults, checkSignedIn] = [this.#defaults, this.#signedInCheck()];
    return (await widgets()).embed(this.#forWidgets, options, defaults, checkSignedIn);
  }

  configure(defaults) {
    this.#shared = {};
    this.#defaults = { ...defaults };
    this.#attached()?.configure(this.#defaults);
  }

  clearTokens() {
    this.#clear();
    if (this.#defaults.shareTabs !== false) tell({ cleared: this.#relay });
  }

  /** Takes what another tab says. */
  static #hear(client, message) {
    if (client.#defaults.shareTabs === false || typeof message !== 'object' || !message) return;
    if (!('cleared' in message)) client.#attached()?.told(message);
    else if (message.cleared === client.#relay) client.#clear();
  }

  /** Clients of one relay in several tabs belong to one user, who signs out of all. */
  get #relay() {
    const { endpoint, relay = '/qrvey' } = this.#defaults;
    return endpoint ?? relay;
  }

  #clear() {
    this.#shared = {};
    this.#cleared += 1;
    for (const watch of this.#watches) this.#release(watch);
    this.#attached()?.clear();
  }

  /** What throws once the tokens of now have been cleared: whoever is signed in then may be somebody else. */
  #signedInCheck() {
    const cleared = this.#cleared;
    return () => {
      if (cleared === this.#cleared) return;
      throw new QrveyAuthError({
        code: 'not_signed_in',
        message:
          'the tokens were cleared since: the user has signed out; ask or embed anew for the user of now',
      });
    };
  }

  #hold(watch) {
    if (this.#watches.size === 0) {
      survivors.add(this.#survive);
      for (const [target, type] of AWAKENINGS) target?.addEventListener?.(type, this.#wake);
    }
    this.#watches.add(watch);
  }

  #release(watch) {
    if (!this.#watches.delete(watch) || this.#watches.size > 0) return;
    survivors.delete(this.#survive);
    for (const [target, type] of AWAKENINGS) target?.removeEventListener?.(type, this.#wake);
  }

  /** The Rust client, if it belongs to the instance in use. */
  #attached() {
    return this.#wasm && this.#wasm === instance() ? this.#rust : undefined;
  }

  async #token(method, options) {
    if (options !== undefined) return this.#ask(method, options);
    const shared = this.#shared[method];
    if (shared) return shared;
    const answer = this.#ask(method);
    if (!(answer instanceof Promise)) return answer;
    this.#shared[method] = answer;
    queueMicrotask(() => {
      this.#shared = {};
    });
    return answer;
  }

  /** What a method of the Rust client answers: at once if it can, else a promise. */
  #ask(method, a, b, c, d) {
    const rust = this.#attached();
    if (!rust) return this.#attach().then(() => this.#ask(method, a, b, c, d));
    if (globalThis.QRVEY_AUTH_DEBUG) return traced(method, () => settle(rust, method, a, b, c, d));
    return settle(rust, method, a, b, c, d);
  }

  async #attach() {
    const checkSignedIn = this.#signedInCheck();
    const wasm = instance() ?? (await load());
    checkSignedIn();
    if (this.#wasm !== wasm) {
      if (!this.#wasm) join(this, QrveyClient.#hear);
      this.#wasm = wasm;
      this.#rust = new wasm.Client(this.#defaults, firer(this));
    }
  }
}

/** Fires events on a client without keeping it alive. */
function firer(client) {
  const weak = new WeakRef(client);
  return (type, detail) => {
    if (globalThis.QRVEY_AUTH_DEBUG) console.debug('qrvey-auth:', type, detail);
    weak.deref()?.dispatchEvent(new CustomEvent(type, { detail }));
  };
}

/** What only a page with widgets needs. */
async function widgets() {
  try {
    return await import('./embed.js');
  } catch (cause) {
    const message = 'embed.js could not be loaded: it must be served beside index.js of this package';
    throw new QrveyAuthError({ code: 'module_load_failed', message, retryable: true }, cause);
  }
}

/** Tells how a call ends, and never what it brings. */
async function traced(what, ask) {
  const start = performance.now();
  let outcome = 'held';
  try {
    const answer = ask();
    if (answer instanceof Promise) outcome = 'received';
    return await answer;
  } catch (error) {
    outcome = error?.code ?? 'aborted';
    throw error;
  } finally {
    console.debug('qrvey-auth:', what, outcome, `${Math.round(performance.now() - start)} ms`);
  }
}

function invalid(message) {
  return new QrveyAuthError({ code: 'invalid_options', message });
}
