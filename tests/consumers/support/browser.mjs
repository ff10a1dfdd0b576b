// One Chromium for all applications; each is visited in a fresh profile.

import { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { ARGUMENTS } from '../../e2e/support/browser.mjs';

/** Notes a digest of each WebAssembly module that the page starts. */
function watchWebAssembly() {
  globalThis.digests = [];
  const { compile } = WebAssembly;
  WebAssembly.compile = (source) => {
    digests.push(crypto.subtle.digest('SHA-256', source));
    return compile.call(WebAssembly, source);
  };
}

const digestsSeen = async () => {
  const hex = (digest) => Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0'));
  return (await Promise.all(globalThis.digests)).map((digest) => hex(digest).join(''));
};

/**
 * Starts Chromium before the tests of the calling file. `visit` looks at what a page shows and leaves,
 * `open` gives a blank page with its `problems`.
 */
export function useBrowser() {
  let browser;
  before(async () => {
    const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
    browser = await chromium.launch({ executablePath, args: ARGUMENTS });
  });
  after(() => browser?.close());

  const open = async (t) => {
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    page.problems = [];
    page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
    page.on('pageerror', (error) => page.problems.push(error.stack ?? String(error)));
    return page;
  };

  /** Waits until the page shows something in its `<output>`, or has a problem. */
  const visit = async (url) => {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      const problems = [];
      const troubled = new Promise((resolve) => {
        const note = (problem) => resolve(problems.push(problem));
        page.on('console', (message) => message.type() === 'error' && note(message.text()));
        page.on('pageerror', (error) => note(error.stack ?? String(error)));
        page.on('requestfailed', (request) => note(`${request.url()}: ${request.failure()?.errorText}`));
      });
      await page.addInitScript(watchWebAssembly);
      await page.goto(url);
      const shown = page.waitForFunction(() => document.querySelector('output')?.textContent);
      await Promise.race([shown.catch((error) => problems.length || problems.push(error.message)), troubled]);
      const text = await page.locator('body').textContent();
      return { text, problems, digests: await page.evaluate(digestsSeen) };
    } finally {
      await context.close();
    }
  };
  return { open, visit };
}
