// What `seamless` costs a request that is not Qrvey's: `node tests/embed/cost.mjs` prints it and fails
// above the budget. Patched and plain functions take turns in one page; the medians of the rounds count.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useBrowser } from './support/browser.mjs';
import { openPage, usePlatform } from './support/platform.mjs';

const BUDGET_NS = 2_000;

const open = useBrowser();
const world = usePlatform();

test('a request elsewhere', async () => {
  const page = await openPage(open, world, null, () => {
    // Requests elsewhere are not sent, so that nothing but the wrapper is measured.
    const native = fetch;
    const answer = Promise.resolve();
    globalThis.fetch = (...args) => {
      const [url] = args;
      return typeof url === 'string' && url.startsWith('https://api.')
        ? answer
        : native.apply(globalThis, args);
    };
  });
  const costs = await page.evaluate(async () => {
    const ROUNDS = 41;
    const CALLS = 20_000;
    const { open, setRequestHeader } = XMLHttpRequest.prototype;
    const listen = XMLHttpRequest.prototype.addEventListener;
    const plain = { fetch, listen, open, setRequestHeader };
    await put();
    const { token } = mounted[0];
    const url = 'https://api.elsewhere.example/orders/17?expand=lines';
    const init = { listener: () => {}, headers: { authorization: `Bearer ${token}` } };
    const { prototype } = XMLHttpRequest;
    const patched = {
      fetch,
      listen: prototype.addEventListener,
      open: prototype.open,
      setRequestHeader: prototype.setRequestHeader,
    };
    const byFetch = (fetch) => () => fetch(url, init);
    const byXhr = (methods) => () => {
      const xhr = new XMLHttpRequest();
      methods.listen.call(xhr, 'load', init.listener);
      methods.open.call(xhr, 'GET', url);
      methods.setRequestHeader.call(xhr, 'authorization', 'Bearer x');
      methods.setRequestHeader.call(xhr, 'accept', 'application/json');
    };
    const time = (call, calls) => {
      const from = performance.now();
      for (let n = 0; n < calls; n += 1) call();
      return ((performance.now() - from) * 1e6) / calls;
    };
    const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
    const compare = (one, other, calls) => {
      const [ones, others] = [[], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        ones.push(time(one, calls));
        others.push(time(other, calls));
      }
      return [median(ones), median(others)];
    };
    return {
      fetch: compare(byFetch(plain.fetch), byFetch(patched.fetch), CALLS),
      XMLHttpRequest: compare(byXhr(plain), byXhr(patched), CALLS / 20),
    };
  });
  for (const [name, [plain, patched]] of Object.entries(costs)) {
    const added = patched - plain;
    console.log(
      `${name}: ${plain.toFixed(0)} ns plain, ${patched.toFixed(0)} ns patched: ${added.toFixed(0)} ns more`,
    );
    assert.ok(added < BUDGET_NS, `${name} costs ${added.toFixed(0)} ns more`);
  }
});
