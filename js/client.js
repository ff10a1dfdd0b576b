import { QrveyAuthError } from './error.js';
import { instance, load, settle } from './runtime.js';

/** The JavaScript face of the Rust client: loads the module on first use and hands calls on. */
export class QrveyClient {
  #defaults;
  #wasm;
  #rust;
  #cleared = 0;

  constructor(defaults) {
    this.#defaults = { ...defaults };
  }

  getComposerToken(options) {
    return this.#ask('composer', options);
  }

  getAdminToken(options) {
    return this.#ask('admin', options);
  }

  configure(defaults) {
    this.#defaults = { ...defaults };
    this.#attached()?.configure(this.#defaults);
  }

  clearTokens() {
    this.#cleared += 1;
    this.#attached()?.clear();
  }

  /** The Rust client, if it belongs to the instance in use. */
  #attached() {
    return this.#wasm && this.#wasm === instance() ? this.#rust : undefined;
  }

  async #ask(kind, options) {
    const cleared = this.#cleared;
    const wasm = instance() ?? (await load());
    if (cleared !== this.#cleared) throw signedOut();
    if (this.#wasm !== wasm) {
      this.#wasm = wasm;
      this.#rust = new wasm.Client(this.#defaults);
    }
    return settle(() => this.#rust[kind](options));
  }
}

function signedOut() {
  return new QrveyAuthError({
    code: 'not_signed_in',
    message: 'the tokens were cleared while this call was waiting: the user has signed out',
  });
}
