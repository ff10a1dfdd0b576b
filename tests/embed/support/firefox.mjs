// Firefox through puppeteer, with as much of Playwright's page as these tests use.

import { after, afterEach, before } from 'node:test';

const PATIENCE_MS = 30_000;

export function useFirefox({ keepsPages = false } = {}) {
  let browser;
  const contexts = [];
  before(async () => {
    const { launch } = await import('../../firefox/support/firefox.mjs');
    browser = await launch();
  });
  if (!keepsPages) afterEach(() => Promise.all(contexts.splice(0).map((context) => context.close())));
  after(() => browser?.close());
  return async (url) => {
    const context = await browser.createBrowserContext();
    contexts.push(context);
    const page = await context.newPage();
    page.problems = [];
    page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
    page.on('pageerror', (error) => page.problems.push(String(error)));
    Object.assign(page, {
      addInitScript: (script) => page.evaluateOnNewDocument(script),
      waitForTimeout: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      locator: (selector) => new Locator(page, steps(selector)),
    });
    const { waitForResponse } = page;
    page.waitForResponse = (predicate) => waitForResponse.call(page, predicate, { timeout: PATIENCE_MS });
    if (url) await page.goto(url);
    return page;
  };
}

/** A selector in parts, each of which is looked for in the open shadow trees of the one before. */
const steps = (selector) => selector.match(/(?:\[[^\]]*\]|[^\s[])+/g);

/** Elements that are looked up anew at each use, waited for, and taken as a person would. */
class Locator {
  #page;
  #steps;
  #place;

  constructor(page, steps, place) {
    this.#page = page;
    this.#steps = steps;
    this.#place = place;
  }

  locator(selector) {
    return new Locator(this.#page, [...this.#steps, ...steps(selector)]);
  }

  first() {
    return this.nth(0);
  }

  nth(place) {
    return new Locator(this.#page, this.#steps, place);
  }

  async waitFor() {
    await this.#run(() => true);
  }

  count() {
    return this.evaluateAll((all) => all.length);
  }

  evaluateAll(body) {
    return this.#page.evaluate(`(${body})((${find})(${JSON.stringify(this.#steps)}))`);
  }

  evaluate(body) {
    return this.#run(body);
  }

  textContent() {
    return this.#run((element) => element.textContent);
  }

  inputValue() {
    return this.#run((element) => element.value);
  }

  click() {
    return this.#run((element) => {
      element.click();
    });
  }

  fill(text) {
    return this.#run((element, text) => {
      if ('value' in element) element.value = text;
      else element.textContent = text;
      element.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }));
    }, text);
  }

  selectOption(option) {
    return this.#run((element, option) => {
      if (typeof option === 'string') element.value = option;
      else element.selectedIndex = option.index;
      element.dispatchEvent(new Event('change', { bubbles: true }));
    }, option);
  }

  async #run(body, argument) {
    const place = this.#place ?? 0;
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const script = `(() => {
        const element = (${find})(${JSON.stringify(this.#steps)})[${place}];
        return element ? { value: (${body})(element, ${JSON.stringify(argument)}) } : undefined;
      })()`;
      const found = await this.#page.evaluate(script);
      if (found) return found.value;
      if (Date.now() > until) throw new Error(`there is no ${this.#steps.join(' ')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function find(steps) {
  const within = (root, selector) => {
    const found = [...root.querySelectorAll(selector)];
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) found.push(...within(element.shadowRoot, selector));
    }
    return found;
  };
  let roots = [document];
  for (const step of steps) {
    roots = [
      ...new Set(
        roots.flatMap((root) => [
          ...within(root, step),
          ...(root.shadowRoot ? within(root.shadowRoot, step) : []),
        ]),
      ),
    ];
  }
  return roots;
}
