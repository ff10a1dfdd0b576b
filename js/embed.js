// `embed`: loaded with the first widget.

import { QRVEY_EVENTS } from './events.js';
import { QrveyAuthError } from './index.js';
import { launch } from './launchers.js';
import { replace } from './layout.js';
import { OWNER } from './options.js';
import { invalid, plan } from './plan.js';
import { isRefusalKnown, Renewal } from './renewal.js';
import { enrol } from './seamless.js';
import { inThisZone, outside } from './zone.js';

/** The widgets that stand on the page. */
const living = new Set();

/** Resolves when the widget stands on the page. */
export async function embed(client, options, defaults, checkSignedIn) {
  if (!globalThis.document) {
    throw new QrveyAuthError({
      code: 'unsupported_environment',
      message: 'a widget needs a page: call embed in a browser',
    });
  }
  const assumed = { ...defaults };
  const heard = inThisZone((listener, event) => listener(event));
  const planned = await plan(options);
  const { signal = assumed.signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalid('option "signal" must be an AbortSignal');
  }
  const ends = [signal, options[OWNER]].filter(Boolean);
  for (const end of ends) end.throwIfAborted();
  const container = found(options.container);
  const widget = new EmbeddedWidget(client, options, planned, assumed, checkSignedIn, container);
  for (const [type, listener] of Object.entries(planned.listeners)) {
    widget.addEventListener(type, (event) => heard(listener, event));
  }
  for (const end of ends) {
    end.addEventListener('abort', () => widget.destroy(end.reason), { once: true, signal: widget.signal });
  }
  try {
    await outside(() => start(widget));
  } catch (error) {
    widget.destroy();
    throw error;
  }
  return widget;
}

/** An element, or the first that a selector finds. */
function found(container) {
  if (container instanceof Element) return container;
  let element;
  try {
    element = typeof container === 'string' ? document.querySelector(container) : undefined;
  } catch {
    throw invalid('option "container" is no valid selector');
  }
  if (element) return element;
  throw invalid('option "container" must be an element, or a selector that finds one');
}

/** The address that a relay names. */
function named(domain) {
  if (domain === undefined) {
    throw invalid('option "domain" is missing, and the relay names none: give the address of your Qrvey');
  }
  if (/^https?:/.test(domain) && URL.canParse(domain)) return domain.replace(/\/+$/, '');
  throw new QrveyAuthError({
    code: 'invalid_response',
    message: 'the relay names a domain that is no address: see public_domain in its configuration',
  });
}

/** What a widget's tokens are asked for with, for as long as it stands: `configure` is for those to come. */
function tokenOptions({ signal: _, ...defaults }, options) {
  if (options.relay !== undefined) {
    delete defaults.endpoint;
    delete defaults.body;
  }
  return { ...defaults, ...options };
}

/** `Pixel-perfect Reports Widget` and `pixel-perfect-report` are the same kind. */
function kind(name) {
  return name
    .toLowerCase()
    .replace(/ widget$/, '')
    .replaceAll(' ', '-')
    .replace(/s$/, '');
}

/** Whether a frame that asks one of these origins is in an element or its open shadow trees. */
function holdsFrame(root, origins) {
  const isOne = (address) => URL.canParse(address) && origins.has(new URL(address).origin);
  for (const element of root.querySelectorAll('*')) {
    if (element.localName === 'iframe' && (isOne(element.src) || requestsOf(element).some(isOne)))
      return true;
    if (element.shadowRoot && holdsFrame(element.shadowRoot, origins)) return true;
  }
  return Boolean(root.shadowRoot) && holdsFrame(root.shadowRoot, origins);
}

/** The addresses that scripts in a frame have asked, as far as the page may know. */
function requestsOf({ contentWindow }) {
  try {
    const entries = contentWindow.performance.getEntriesByType('resource');
    const asked = entries.filter(({ initiatorType }) => /^(fetch|xmlhttprequest)$/.test(initiatorType));
    return asked.map(({ name }) => name);
  } catch {
    // Of another origin, or gone.
    return [];
  }
}

/** Starts a widget; for this module alone. */
let start;

/** A widget on the page; see `embed.d.ts`. */
export class EmbeddedWidget extends EventTarget {
  #client;
  #options;
  #planned;
  #token;
  #checkSignedIn;
  #container;
  #domain;
  #element;
  /** The configuration that the element was given, and the globals that hold it and its like. */
  #configuration;
  #globals = [];
  /** The token that the element was given. */
  #given;
  #renewal;
  #updated = Promise.resolve();
  #isOutOfReach = false;
  /** Whether the page's functions cannot be replaced, so that each renewal mounts the widget anew. */
  #isSealed = false;
  #life = new AbortController();
  #leave = () => {};
  #settle = () => {};

  static {
    start = (widget) => widget.#start();
  }

  constructor(client, options, planned, defaults, checkSignedIn, container) {
    super();
    this.#client = client;
    this.#options = options;
    this.#planned = planned;
    this.#token = tokenOptions(defaults, planned.token);
    this.#checkSignedIn = checkSignedIn;
    this.#container = container;
  }

  /** The widget's own element. A re-mount replaces it. */
  get element() {
    return this.#element;
  }

  /** Aborts when the widget is destroyed. */
  get signal() {
    return this.#life.signal;
  }

  /** Changes the settings that are named, and mounts the widget anew with them; one change after the other. */
  update(settings) {
    const updated = this.#updated.then(() => this.#update(settings));
    this.#updated = updated.catch(() => {});
    return updated;
  }

  async #update(settings) {
    this.signal.throwIfAborted();
    const options = { ...this.#options, settings: { ...this.#options.settings, ...settings } };
    const planned = await plan(options);
    this.#checkUser();
    if (planned.domain !== this.#planned.domain) {
      throw invalid('option "settings.domain" is not to change while the widget stands: embed it anew');
    }
    this.#options = options;
    this.#planned = planned;
    this.#remount('settings');
  }

  /** Gets a new token for the widget now. */
  async renew() {
    this.#checkUser();
    if (this.#planned.tokenKey === undefined) return;
    if (this.#renewal) {
      await this.#renewal.renew();
    } else {
      const { token } = await this.#ask({ forceRefresh: true });
      this.#checkUser();
      this.#given = token;
      this.#remount('renewed');
    }
  }

  /** Takes the widget and all that came with it off the page. */
  destroy(reason = new DOMException('the widget was destroyed', 'AbortError')) {
    if (this.signal.aborted) return;
    this.#life.abort(reason);
    living.delete(this);
    this.#settle();
    this.#leave();
    this.#renewal?.leave(this.#member);
    this.#element?.remove();
    this.#element = undefined;
    this.#forgetGlobals();
  }

  async #start() {
    const { tokenKey, domain, widgetsUrl } = this.#planned;
    for (const name of ['domain', 'widgetsUrl', 'apiUrl']) {
      const address = this.#planned[name];
      if (address !== undefined && !URL.canParse(address)) throw invalid(`option "${name}" is no address`);
    }
    this.#domain = domain;
    const seeing = this.#sees();
    const token = tokenKey === undefined ? Promise.resolve({}) : this.#first();
    // Before the launcher comes, which may keep the functions that it finds.
    this.#enrol();
    const base = widgetsUrl ?? domain;
    const launched = base === undefined ? undefined : this.#launch(base);
    launched?.catch(() => {});
    const details = await this.#unlessDestroyed(token);
    this.#checkUser();
    if (domain === undefined) {
      this.#domain = named(details.domain);
      this.#enrol();
    }
    await this.#unlessDestroyed(launched ?? this.#launch(base ?? this.#domain));
    this.#checkUser();
    this.#given = this.#renewal?.current.token ?? details.token;
    living.add(this);
    this.#mount();
    seeing();
    this.#dispatch('ready', {});
  }

  /** Throws if the widget is destroyed, or if the user whose token it has may have signed out. */
  #checkUser() {
    this.signal.throwIfAborted();
    if (this.#planned.tokenKey !== undefined) this.#checkSignedIn();
  }

  /** The first token; unless renewal is off, with all that follow. */
  async #first() {
    if (this.#planned.renew === 'off') return this.#ask({});
    this.#renewal = Renewal.of(this.#client, this.#token);
    await this.#renewal.join(this.#member, this.#token.forceRefresh ? this.#ask({}) : undefined);
    return this.#renewal.current;
  }

  #ask(more) {
    const { signal } = this;
    return this.#client.getComposerToken({ ...this.#token, ...more, detailedResponse: true, signal });
  }

  #launch(base) {
    return launch(this.#planned, base, this.#options, this.signal);
  }

  #enrol() {
    if (!this.#renewal || this.#planned.renew !== 'seamless') return;
    const leave = this.#leave;
    try {
      this.#leave = enrol(this.#renewal, this.#origins);
    } catch {
      // A page that has frozen its functions keeps them.
      this.#isSealed = true;
    }
    leave();
  }

  /** Where the widget's requests may carry its token. */
  get #origins() {
    const addresses = [this.#domain, this.#planned.apiUrl].filter(Boolean);
    return new Set(addresses.map((address) => new URL(address).origin));
  }

  /** What the renewal calls. */
  #member = {
    deliver: () => {
      if (!this.#element) return;
      const { token, expiresAt } = this.#renewal.current;
      const isOutOfReach = this.#isOutOfReach || this.#isSealed || holdsFrame(this.#element, this.#origins);
      const isRemounted = this.#planned.renew === 'remount' || isOutOfReach;
      this.#isOutOfReach = false;
      if (isRemounted) {
        this.#remount(this.#planned.renew === 'remount' ? 'renewed' : 'out_of_reach');
      } else {
        this.#configuration[this.#planned.tokenKey] = token;
      }
      this.#dispatch('renewed', { expiresAt, isRemounted });
    },
    tell: (type, detail) => this.#dispatch(type, detail),
  };

  /** Passes Qrvey's own events on, and acts on the one that says that a token is over. */
  #sees() {
    const { signal } = this;
    const see = (event) => {
      if (!this.#element || !this.#isMeant(event)) return;
      this.#dispatch(event.type, event.detail);
      if (event.type === 'qvTokenExpired') this.#expired();
    };
    return () => {
      for (const [type, where] of Object.entries(QRVEY_EVENTS)) {
        globalThis[where].addEventListener(type, see, { signal });
      }
    };
  }

  /** `trigger` names a kind of widget: if that kind stands on the page, others are not meant. */
  #isMeant({ type, detail }) {
    if (type !== 'qvTokenExpired' || typeof detail?.trigger !== 'string') return true;
    const meant = kind(detail.trigger);
    const others = [...living].map((widget) => kind(widget.#options.widget));
    return kind(this.#options.widget) === meant || !others.includes(meant);
  }

  #expired() {
    const renewal = this.#renewal;
    if (!renewal) return;
    if (this.#planned.renew === 'seamless') {
      // The refusal went through our hands: it is being dealt with, or nothing more can be done.
      if (isRefusalKnown()) return;
      this.#isOutOfReach = true;
    }
    if (this.#given === renewal.current.token) renewal.expired();
    else if (this.#planned.renew === 'seamless') this.#member.deliver();
  }

  #remount(reason) {
    outside(() => this.#mount());
    this.#dispatch('remounted', { reason });
  }

  #mount() {
    const { tag, attribute, attributes, settings, tokenKey } = this.#planned;
    const before = this.#element;
    this.#forgetGlobals();
    if (this.#renewal) this.#given = this.#renewal.current.token;
    this.#configuration = { ...settings, domain: this.#domain };
    if (tokenKey !== undefined) this.#configuration[tokenKey] = this.#given;
    const element = document.createElement(tag);
    element.setAttribute(attribute, this.#global(this.#configuration));
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, this.#global(value));
    this.#element = element;
    this.#settle();
    if (before) this.#settle = replace(this.#container, before, element);
    else this.#container.append(element);
  }

  /** Puts a value where the widget finds it, under a name that nothing else on the page can guess. */
  #global(value) {
    const random = crypto.getRandomValues(new Uint8Array(16));
    const name = `qrvey_${Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
    Object.defineProperty(globalThis, name, { configurable: true, writable: true, value });
    this.#globals.push(name);
    return name;
  }

  #forgetGlobals() {
    for (const name of this.#globals.splice(0)) delete globalThis[name];
  }

  #dispatch(type, detail) {
    if (!this.signal.aborted) this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** What a promise resolves to; rejects as soon as the widget is destroyed. */
  #unlessDestroyed(promise) {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }
}
