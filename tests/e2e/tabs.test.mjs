// Several tabs of one origin: one renewal for all, one sign-out for all, and never another user's token.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { useBrowser } from './support/browser.mjs';
import { json, useStub } from './support/stub.mjs';
import { until } from './support/until.mjs';

const open = useBrowser();
const stub = useStub();
let minted;

beforeEach(() => {
  stub.reset();
  minted = 0;
  // The `user` cookie of each request decides, as a session would.
  stub.answer = ({ headers }, response) => {
    const user = headers.cookie?.match(/user=(\w+)/)?.[1] ?? headers.authorization ?? 'nobody';
    json(response, 200, { token: `${user}-${++minted}`, expires_in: 6, grant: `grant-of-${user}` });
  };
});

async function tab(from, options = {}, path = '/') {
  const page = from ? await from.context().newPage() : await open();
  await page.goto(`${stub.url}${path}`);
  await page.evaluate(async (options) => {
    const { createClient } = await import('qrvey-auth');
    globalThis.tokens = [];
    globalThis.failures = [];
    globalThis.client = createClient(options);
    client.addEventListener('failed', ({ detail }) => failures.push(detail.error.code));
    await client.watch(({ token }) => tokens.push(token));
  }, options);
  return page;
}

const tokens = (page) => page.evaluate(() => globalThis.tokens);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

test('one tab renews for all', async () => {
  const first = await tab();
  const tabs = [first, await tab(first), await tab(first), await tab(first)];
  assert.equal(stub.requests.length, 4, 'each proves once who it is');
  // One of them renews, and no other does before they all have its token.
  await Promise.all(tabs.map((page) => page.waitForFunction(() => tokens.includes('nobody-5'))));
  const requests = stub.requests.length;
  await pause(500);
  assert.equal(stub.requests.length, requests);
  assert.equal(requests, 5);
});

test('a tab that dies at work costs the others nothing', async () => {
  const tabs = new Map();
  tabs.set('1', await tab(undefined, {}, '/?tab=1'));
  tabs.set('2', await tab(tabs.get('1'), {}, '/?tab=2'));
  const answer = stub.answer;
  const hung = new Promise((resolve) => {
    stub.answer = ({ headers }) => {
      stub.answer = answer;
      resolve(new URL(headers.referer).searchParams.get('tab'));
    };
  });
  const dying = await hung;
  const [survivor] = [...tabs].filter(([name]) => name !== dying).map(([, page]) => page);
  await until(survivor, async () => (await navigator.locks.query()).held.length === 1);
  const before = (await tokens(survivor)).length;
  await tabs.get(dying).close();
  await survivor.waitForFunction((before) => globalThis.tokens.length > before, before);
});

test('two users never get each other’s token, whether told apart by header or by cookie', async () => {
  const ada = await tab(undefined, { headers: { authorization: 'ada' } });
  const bo = await tab(ada, { headers: { authorization: 'bo' } });
  await bo.evaluate(() => {
    // biome-ignore lint/suspicious/noDocumentCookie: the session of a stub
    document.cookie = 'user=cleo';
  });
  const cleo = await tab(ada);
  await pause(12_000);
  for (const [page, user] of [
    [cleo, 'cleo'],
    [await tab(cleo), 'cleo'],
  ]) {
    const all = await tokens(page);
    assert.ok(all.length > 0 && all.every((token) => token.startsWith(user)), all.join());
  }
  // The cookie now says cleo in every tab; what was shared before it did was each one's own.
  const [adas, bos] = [await tokens(ada), await tokens(bo)];
  assert.equal(adas[0], 'ada-1');
  assert.equal(bos[0], 'bo-2');
  assert.ok(!adas.includes('bo-2') && !bos.includes('ada-1'));
});

test('clearTokens in one tab ends the tokens of all', async () => {
  const first = await tab();
  const second = await tab(first);
  await first.evaluate(() => client.clearTokens());
  await second.waitForFunction(() => failures.length === 1);
  assert.deepEqual(await second.evaluate(() => failures), ['not_signed_in']);
  const requests = stub.requests.length;
  await pause(6_500);
  assert.equal(stub.requests.length, requests);
});

test('a tab that has never asked for a token can clear those of the others', async () => {
  const first = await tab();
  const signedOut = await first.context().newPage();
  await signedOut.goto(stub.url);
  await signedOut.evaluate(async () => {
    const { clearTokens } = await import('qrvey-auth');
    clearTokens();
  });
  await first.waitForFunction(() => failures.length === 1);
  assert.deepEqual(await first.evaluate(() => failures), ['not_signed_in']);
});

test('clearTokens reaches a tab that waits for its turn to renew: it asks no more', async () => {
  const page = await tab();
  await page.evaluate(() => {
    const hold = () =>
      new Promise((resolve) => {
        globalThis.release = resolve;
      });
    navigator.locks.request('qrvey-auth:grant-of-nobody', hold);
  });
  await until(page, async () => {
    const { held, pending } = await navigator.locks.query();
    return held.length === 1 && pending.length === 1;
  });
  await page.evaluate(() => {
    client.clearTokens();
    release();
  });
  await pause(1_000);
  assert.equal(stub.requests.length, 1);
  assert.deepEqual(await page.evaluate(() => failures), ['not_signed_in']);
});

test('clearTokens reaches all where the browser has no locks, as over plain http', async () => {
  const context = (await open()).context();
  await context.addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
  const first = await tab(await context.newPage());
  const second = await tab(first);
  await first.evaluate(() => client.clearTokens());
  await second.waitForFunction(() => failures.length === 1);
});

test('a browser that lets a page talk to no other leaves it its own tokens', async () => {
  const context = (await open()).context();
  // As Firefox does where the user lets a site store nothing.
  await context.addInitScript(() => {
    globalThis.BroadcastChannel = function BroadcastChannel() {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    };
  });
  const page = await tab(await context.newPage());
  await page.waitForFunction(() => tokens.length === 2);
  await page.evaluate(() => client.clearTokens());
  assert.deepEqual(await page.evaluate(() => failures), ['not_signed_in']);
});

test('what others say on the channel is not listened to', async () => {
  const page = await tab();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.evaluate(async () => {
    const channel = new BroadcastChannel('qrvey-auth');
    for (const message of [null, 'text', 7, undefined, [], { cleared: 7 }, { grant: 1, token: {} }])
      channel.postMessage(message);
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
  assert.deepEqual(errors, []);
  assert.deepEqual(await page.evaluate(() => failures), []);
});

test('shareTabs: false keeps a tab to itself', async () => {
  const first = await tab(undefined, { shareTabs: false });
  const second = await tab(first, { shareTabs: false });
  await pause(7_000);
  const [ones, others] = [await tokens(first), await tokens(second)];
  assert.ok(ones.length > 1 && others.length > 1);
  assert.deepEqual(
    ones.filter((token) => others.includes(token)),
    [],
  );
  await first.evaluate(() => client.clearTokens());
  await pause(300);
  assert.deepEqual(await second.evaluate(() => failures), []);
});
