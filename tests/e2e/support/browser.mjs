// One Chromium for a test file, one fresh profile for each page.

import { after, afterEach, before } from 'node:test';
import { chromium } from 'playwright-core';

export const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Starts Chromium before the tests of the calling file; returns a function that opens a page. Pages are
 * closed after each test, or with `keepsPages` after all.
 */
export function useBrowser({ keepsPages = false } = {}) {
  let browser;
  const contexts = [];
  before(async () => {
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ARGUMENTS,
    });
  });
  if (!keepsPages) afterEach(() => Promise.all(contexts.splice(0).map((context) => context.close())));
  after(() => browser?.close());
  return async (url, options) => {
    const context = await browser.newContext(options);
    contexts.push(context);
    const page = await context.newPage();
    page.problems = [];
    page.on('console', (message) => {
      if (message.type() === 'error') page.problems.push(message.text());
    });
    page.on('pageerror', (error) => page.problems.push(String(error)));
    if (url) await page.goto(url);
    return page;
  };
}
