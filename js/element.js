// `<qrvey-widget>`: importing this defines it; where there are no custom elements it does nothing.

import { EVENTS, optionOf } from './events.js';
import { embed, QrveyAuthError } from './index.js';
import { OWNER, TEXT_OPTIONS } from './options.js';
import { inPlaceOf, textOf } from './settings.js';

/** The options of `embed` by the attributes for them: `widgets-url` is `widgetsUrl`. */
const OPTIONS = Object.fromEntries(
  TEXT_OPTIONS.map((option) => [option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), option]),
);

const define = (HTMLElement) =>
  class QrveyWidgetElement extends HTMLElement {
    static observedAttributes = [...Object.keys(OPTIONS), 'settings'];

    #settings;
    #options;
    #client;
    /** What the properties of these names were last set to hold. */
    #held = { settings: textOf(), options: textOf() };
    #embedded;
    /** All settings that it was ever to have: one that is refused may be followed by others at once. */
    #shown;
    #life;
    /** What has changed since the last task: `place`, `settings`, `all`. */
    #due = new Set();

    connectedCallback() {
      // Properties that were set before the element was defined.
      for (const name of ['settings', 'options', 'client']) {
        if (!Object.hasOwn(this, name)) continue;
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
      this.#change('place');
    }

    disconnectedCallback() {
      this.#change('place');
    }

    attributeChangedCallback(name, before, after) {
      if (before !== after) this.#change(name === 'settings' ? 'settings' : 'all');
    }

    /** The widget's settings; the attribute of the same name takes them as JSON. */
    get settings() {
      if (this.#settings !== undefined || !this.hasAttribute('settings')) return this.#settings;
      try {
        return JSON.parse(this.getAttribute('settings'));
      } catch (cause) {
        const message = 'the attribute "settings" is no JSON';
        throw new QrveyAuthError({ code: 'invalid_options', message }, cause);
      }
    }

    set settings(settings) {
      this.#settings = settings;
      if (this.#isNews('settings', settings)) this.#change('settings');
    }

    /** Options of `embed` that have no attribute. */
    get options() {
      return this.#options;
    }

    set options(options) {
      this.#options = options;
      if (this.#isNews('options', options)) this.#change('all');
    }

    /** The client whose tokens are used; default: the page's. */
    get client() {
      return this.#client;
    }

    set client(client) {
      if (client === this.#client) return;
      this.#client = client;
      this.#change('all');
    }

    /** What `embed` resolved to, while it stands. */
    get embedded() {
      return this.#embedded;
    }

    /** Templates of some frameworks set a new object that holds the same each time that they render. */
    #isNews(name, value) {
      const before = this.#held[name];
      this.#held[name] = textOf(value);
      return before !== this.#held[name];
    }

    #change(what) {
      if (this.#due.size === 0) queueMicrotask(() => this.#act());
      this.#due.add(what);
    }

    #act() {
      const due = this.#due;
      this.#due = new Set();
      const stands = this.isConnected && this.#embedded?.signal.aborted === false;
      // An element that was only moved keeps its widget.
      if (stands && !due.has('all')) {
        if (due.has('settings')) this.#try(() => this.#update());
        return;
      }
      this.#life?.abort();
      this.#embedded = undefined;
      if (this.isConnected && this.hasAttribute('widget')) this.#try(() => this.#embed());
    }

    async #update() {
      this.#shown = inPlaceOf(this.#shown, this.settings);
      await this.#embedded.update(this.#shown);
    }

    async #embed() {
      const life = new AbortController();
      this.#life = life;
      // A copy of this element, such as a cached page's, has a copy of the widget, whose configuration is gone.
      const stale = ':scope > :is([settings^="qrvey_"], [config^="qrvey_"])';
      for (const copy of this.querySelectorAll(stale)) copy.remove();
      const options = { ...this.#options, container: this, [OWNER]: life.signal };
      for (const [attribute, option] of Object.entries(OPTIONS)) {
        if (this.hasAttribute(attribute)) options[option] = this.getAttribute(attribute);
      }
      const { settings } = this;
      this.#shown = settings;
      if (settings !== undefined) options.settings = settings;
      for (const type of EVENTS) {
        options[optionOf(type)] = (event) => {
          if (type === 'ready') this.#embedded = event.target;
          this.dispatchEvent(new CustomEvent(type, { detail: event.detail }));
          this.#options?.[optionOf(type)]?.(event);
        };
      }
      try {
        await (this.#client?.embed(options) ?? embed(options));
      } catch (error) {
        if (!life.signal.aborted) throw error;
      }
    }

    /** A failure is an `error` event with the `QrveyAuthError` as its `error`. */
    async #try(action) {
      try {
        await action();
      } catch (error) {
        const { message } = error;
        if (this.isConnected) this.dispatchEvent(new ErrorEvent('error', { error, message }));
      }
    }
  };

if (globalThis.customElements && !customElements.get('qrvey-widget')) {
  customElements.define('qrvey-widget', define(HTMLElement));
}
