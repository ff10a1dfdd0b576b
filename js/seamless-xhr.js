import { originOf, rewrite } from './seamless.js';
import { LONGEST_TIMER_MS } from './timer.js';

const EVENTS = ['readystatechange', 'loadstart', 'progress', 'abort', 'error', 'timeout', 'load', 'loadend'];

/** What a page sees of a request that has been sent and not answered. */
const UNANSWERED = {
  readyState: 1,
  status: 0,
  statusText: '',
  responseText: '',
  responseXML: null,
  responseURL: '',
  getResponseHeader: () => null,
  getAllResponseHeaders: () => '',
};

/** Requests to Qrvey that have been opened, by their object. */
const attempts = new WeakMap();

/** The upload objects that a page has taken hold of, by their request; and the other way round. */
const uploads = new WeakMap();
const owners = new WeakMap();

/** The object whose method is being called further down: an older wrapper there lets it pass. */
let passing;

/**
 * Events of one that is no node come in the order of registration alone, and ours must be first. Listening
 * to each object from its beginning would cost all requests of the page; so we come just before its page.
 */
function attend(target, listener, types = EVENTS) {
  const listen = bare(Object.getPrototypeOf(XMLHttpRequest.prototype), 'addEventListener');
  for (const type of types) listen.call(target, type, listener, true);
}

/** The same for a request that is now known to be Qrvey's: handlers that were there first go behind ours. */
function overtake(target, listener) {
  const handlers = EVENTS.map((type) => [`on${type}`, target[`on${type}`]]).filter(([, handler]) => handler);
  for (const [name] of handlers) target[name] = null;
  attend(target, listener);
  for (const [name, handler] of handlers) target[name] = handler;
}

function handle(event) {
  attempts.get(this)?.handle(event);
}

/** What goes up a second time was seen to go up once. */
function hideUpload(event) {
  if (attempts.get(owners.get(this))?.hidesUpload) event.stopImmediatePropagation();
}

/**
 * The getter of `upload`, around the one that is `link.inner`. Only a request that is Qrvey's is listened to
 * unasked: a plain one elsewhere would have to ask its server for leave because of that.
 */
export function wrapUpload(link) {
  return function () {
    const upload = Reflect.apply(link.inner, this, []);
    uploads.set(this, upload);
    owners.set(upload, this);
    if (attempts.has(this)) attend(upload, hideUpload);
    return upload;
  };
}

/** `addEventListener` of a kind of object: `come` first where the page listens. */
function wrapListen(prototype, come) {
  return (link) =>
    function (...args) {
      if (EVENTS.includes(args[0])) come(this, args[0]);
      // An inherited method may be replaced further up while ours stands in front of it.
      const inner = link.before ? link.inner : Object.getPrototypeOf(prototype).addEventListener;
      return Reflect.apply(inner, this, args);
    };
}

/** The same for upload objects. */
export const wrapUploadListen = (link) =>
  wrapListen(XMLHttpRequestUpload.prototype, (upload, type) => attend(upload, hideUpload, [type]))(link);

/** The methods of `XMLHttpRequest`, each around the one that is `link.inner`. */
export function wrapXhr(prototype) {
  const beneath = {};
  for (const name of ['open', 'setRequestHeader', 'send', 'abort']) beneath[name] = bare(prototype, name);
  const down = (inner, xhr, args) => {
    const before = passing;
    passing = xhr;
    try {
      return Reflect.apply(inner, xhr, args);
    } finally {
      passing = before;
    }
  };
  return {
    open: (link) =>
      function (...args) {
        if (passing === this) return Reflect.apply(link.inner, this, args);
        if (attempts.has(this)) {
          attempts.get(this).leave();
          attempts.delete(this);
        }
        const [method, url] = args;
        const origin = originOf(String(url));
        if (origin === undefined) return Reflect.apply(link.inner, this, args);
        overtake(this, handle);
        if (uploads.has(this)) overtake(uploads.get(this), hideUpload);
        const result = down(link.inner, this, args);
        // An address may be an object that the page changes, or start from a base that it does.
        const opening = [String(method), new URL(url, document.baseURI).href, ...args.slice(2)];
        attempts.set(this, new Attempt(this, origin, opening, beneath, down));
        return result;
      },
    setRequestHeader: (link) =>
      function (...args) {
        const attempt = passing === this ? undefined : attempts.get(this);
        if (!attempt) return Reflect.apply(link.inner, this, args);
        const [name, value] = [String(args[0]), String(args[1])];
        const found = attempt.find(value);
        if (found) args[1] = found.value;
        const result = down(link.inner, this, args);
        attempt.keep(name, value, found);
        return result;
      },
    send: (link) =>
      function (...args) {
        const attempt = passing === this ? undefined : attempts.get(this);
        if (!attempt?.sent || !attempt.isOpened) return Reflect.apply(link.inner, this, args);
        attempt.start(args[0]);
        try {
          const result = down(link.inner, this, args);
          attempt.returned();
          return result;
        } catch (error) {
          attempt.stop();
          throw error;
        }
      },
    addEventListener: wrapListen(prototype, (xhr, type) => {
      if (xhr.readyState === XMLHttpRequest.UNSENT) attend(xhr, handle, [type]);
    }),
    abort: (link) =>
      function (...args) {
        const attempt = passing === this ? undefined : attempts.get(this);
        if (!attempt?.isHidden) return Reflect.apply(link.inner, this, args);
        return attempt.cancel('abort', () => down(link.inner, this, args));
      },
  };
}

/**
 * A request with a token. If it is refused, the page does not see that: the events of the refusal are
 * held back, and the same object is opened and sent once more with a new token. Only if there is
 * none, the page gets what was held back.
 */
class Attempt {
  /** The renewal and the token that went out, if there was one of ours. */
  sent;
  isHidden = false;
  hidesUpload = false;

  #xhr;
  #origin;
  #opening;
  #beneath;
  #down;
  #headers = [];
  #body;
  #phase = 'opened';
  #held = [];
  #startedAtMs;
  #timer;
  #ended;
  /** Resolves when the refusal has come in whole: an object that is opened before would mix both answers. */
  #refusal = new Promise((resolve) => {
    // In a later task, because the browser has not done with the object when it tells of the end.
    this.#ended = () => setTimeout(resolve);
  });

  constructor(xhr, origin, opening, beneath, down) {
    this.#xhr = xhr;
    this.#origin = origin;
    this.#opening = opening;
    this.#beneath = beneath;
    this.#down = down;
  }

  /** What a header is to say, if there is a token of ours in it. */
  find(value) {
    return rewrite(this.#origin, value);
  }

  /** Takes note of a header that the browser has taken. */
  keep(name, value, found) {
    this.#headers.push([name, value]);
    this.sent = found ?? this.sent;
  }

  get isOpened() {
    return this.#phase === 'opened';
  }

  start(body) {
    this.#body = again(body);
    this.#startedAtMs = performance.now();
    const isAsync = this.#opening.length < 3 || Boolean(this.#opening[2]);
    this.#phase = isAsync ? 'sent' : 'sync';
  }

  /** `send` has come back: with the answer, if it waited for it. */
  returned() {
    if (this.#phase !== 'sync') return;
    this.#phase = 'done';
    if (this.#xhr.status === 401) this.sent.renewal.refused(this.sent.token);
  }

  /** `send` has thrown: another may follow. */
  stop() {
    this.#phase = 'opened';
  }

  /** The object goes on to something else. */
  leave() {
    this.#reveal();
    this.#finish();
  }

  handle(event) {
    const readyState = this.#real('readyState');
    // Somebody has opened it anew by a method that was there before ours.
    if (this.#phase === 'held' && readyState === 1) this.leave();
    const isAnswer = event.type === 'readystatechange' && readyState >= 2;
    if (this.#phase === 'sent' && isAnswer) {
      if (this.#real('status') === 401) this.#hold();
      else this.#finish();
    } else if (this.#phase === 'replayed' && isAnswer) {
      this.#reveal();
      this.#phase = 'answered';
    }
    if (this.#phase === 'held') {
      this.#held.push(snapshot(event, readyState));
      if (event.type === 'loadend') this.#ended();
    }
    if (this.isHidden) event.stopImmediatePropagation();
    if (this.#phase === 'answered' && event.type === 'loadend') this.#finish();
  }

  #hold() {
    this.#phase = 'held';
    this.#hide();
    this.#limit();
    Promise.all([this.sent.renewal.refused(this.sent.token), this.#refusal]).then(([token]) => {
      if (this.#phase !== 'held') return;
      if (token === undefined || this.#body === undefined) this.#release();
      else this.#replay();
    });
  }

  /** To the page both requests are one, whose timeout counts from the first. */
  #limit() {
    clearTimeout(this.#timer);
    const { timeout } = this.#xhr;
    if (timeout === 0) return;
    const leftMs = timeout - (performance.now() - this.#startedAtMs);
    this.#timer = setTimeout(
      () => this.cancel('timeout', () => this.#down(this.#beneath.abort, this.#xhr, [])),
      Math.min(Math.max(leftMs, 0), LONGEST_TIMER_MS),
    );
  }

  #replay() {
    const xhr = this.#xhr;
    const { open, setRequestHeader, send } = this.#beneath;
    this.#phase = 'replayed';
    this.hidesUpload = true;
    this.#down(open, xhr, this.#opening);
    for (const [name, value] of this.#headers) {
      this.#down(setRequestHeader, xhr, [name, this.find(value)?.value ?? value]);
    }
    this.#down(send, xhr, [this.#body()]);
    this.#limit();
  }

  /** Shows the page the refusal after all, step by step as it came. */
  #release() {
    const held = this.#held;
    clearTimeout(this.#timer);
    this.#reveal();
    this.#phase = 'released';
    for (const { event, readyState } of held) {
      if (this.#phase !== 'released') return;
      show(this.#xhr, { readyState });
      this.#xhr.dispatchEvent(event);
    }
    if (this.#phase !== 'released') return;
    reveal(this.#xhr, ['readyState']);
    this.#finish();
  }

  /** Ends a request that the page believes under way, with the events that the page expects of that. */
  cancel(type, abort) {
    this.#phase = 'cancelled';
    this.isHidden = true;
    abort();
    this.#finish();
    this.isHidden = false;
    show(this.#xhr, { readyState: 4 });
    this.#xhr.dispatchEvent(new Event('readystatechange'));
    this.#xhr.dispatchEvent(new ProgressEvent(type));
    this.#xhr.dispatchEvent(new ProgressEvent('loadend'));
    // After abort() an object is as new; after a timeout it is done.
    if (type === 'abort' && attempts.get(this.#xhr) === this) this.#reveal();
  }

  #hide() {
    this.isHidden = true;
    const { responseType } = this.#xhr;
    const response = responseType === '' || responseType === 'text' ? '' : null;
    show(this.#xhr, { ...UNANSWERED, response });
  }

  #reveal() {
    this.isHidden = false;
    reveal(this.#xhr, [...Object.keys(UNANSWERED), 'response']);
  }

  #finish() {
    this.#phase = 'done';
    clearTimeout(this.#timer);
  }

  /** A property as the browser has it, whatever the page is shown. */
  #real(name) {
    return Reflect.get(Object.getPrototypeOf(this.#xhr), name, this.#xhr);
  }
}

function show(xhr, properties) {
  for (const [name, value] of Object.entries(properties)) {
    Object.defineProperty(xhr, name, { configurable: true, value });
  }
}

function reveal(xhr, names) {
  for (const name of names) delete xhr[name];
}

function snapshot({ type, loaded, total, lengthComputable }, readyState) {
  const event =
    type === 'readystatechange'
      ? new Event(type)
      : new ProgressEvent(type, { loaded, total, lengthComputable });
  return { event, readyState };
}

/**
 * How to send a body once more: what the page may change meanwhile is copied. `undefined` for one that
 * cannot be.
 */
function again(body) {
  if (body instanceof FormData) {
    const copy = new FormData();
    for (const [name, value] of body) copy.append(name, value);
    return () => copy;
  }
  if (body instanceof URLSearchParams) return always(new URLSearchParams(body));
  if (body instanceof ArrayBuffer) return always(body.slice(0));
  if (ArrayBuffer.isView(body)) {
    return always(body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength));
  }
  return body instanceof Document ? undefined : always(body);
}

function always(value) {
  return () => value;
}

/** A method as it was before zone.js, which would count a second request that never ends. */
function bare(target, name) {
  return target[globalThis.Zone?.__symbol__?.(name)] ?? target[name];
}
