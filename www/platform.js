/** The stand-in platform's own controls below `/_sandbox/`; a real Qrvey has none of these. */

/** A platform that hangs must not keep the page from starting. */
const TIMEOUT_MS = 2_000;

export class Platform {
  #base;

  constructor(domain) {
    this.#base = `${domain}/_sandbox`;
  }

  stats = () => this.#get('stats');
  /** The token calls that came after the entry `id`. */
  log = (id, target) => this.#get(`log?after=${id}&target=${target}`);
  revoke = () => this.#post('revoke');
  reset = () => this.#post('reset');
  advance = (ms) => this.#post('clock', { advance_ms: ms });
  faults = (faults) => this.#post('faults', { faults });

  async #get(path) {
    return this.#answer(await fetch(`${this.#base}/${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) }));
  }

  async #post(path, body = {}) {
    return this.#answer(
      await fetch(`${this.#base}/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    );
  }

  async #answer(response) {
    if (!response.ok) throw new Error(`the platform answered ${response.status}`);
    return response.json();
  }
}
