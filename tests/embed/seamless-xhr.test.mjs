// What `seamless` does to `XMLHttpRequest`: nothing that a page could see, but for the refusal.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useBrowser } from './support/browser.mjs';
import { openPage, usePlatform } from './support/platform.mjs';

const open = useBrowser();
const world = usePlatform();
const data = () => world.requests.filter(({ path }) => path.startsWith('/data'));

/** Puts `ask` into the page: makes a request and resolves to all that its maker can see of it. */
function withAsk() {
  globalThis.ask = ({
    token,
    url,
    prepare,
    when = 'last',
    upload = 'last',
    responseType = '',
    body = '{"a":1}',
  }) =>
    new Promise((resolve) => {
      const seen = [];
      const xhr = new XMLHttpRequest();
      const note = (event) => {
        seen.push(`${event.type} ${xhr.readyState} ${xhr.status}`);
        if (event.type === 'loadend') {
          const answer = xhr.responseType === 'json' ? JSON.stringify(xhr.response) : xhr.responseText;
          resolve({ seen, answer, url: xhr.responseURL, type: xhr.getResponseHeader('content-type') });
        }
      };
      const listen = () => {
        for (const type of ['loadstart', 'load', 'error', 'abort', 'timeout', 'loadend'])
          xhr[`on${type}`] = note;
        xhr.addEventListener('readystatechange', note);
      };
      const listenToUpload = () => {
        for (const type of ['loadstart', 'load', 'loadend']) {
          xhr.upload[`on${type}`] = () => seen.push(`upload on${type}`);
          xhr.upload.addEventListener(type, () => seen.push(`upload ${type}`));
        }
      };
      if (when === 'first') listen();
      if (upload === 'first') listenToUpload();
      xhr.open('POST', url);
      if (when === 'last') listen();
      if (upload === 'last') listenToUpload();
      xhr.responseType = responseType;
      xhr.setRequestHeader('content-type', 'application/json');
      xhr.setRequestHeader('x-qv-token', token);
      prepare?.(xhr);
      xhr.send(body);
      globalThis.under_way = xhr;
    });
}

/** The same request with a token that is good, and with one that has been revoked. */
async function both(page, options) {
  const run = (options) =>
    page.evaluate(
      (options) => ask({ ...options, token: mounted[0].token, url: `${platform}/data/xhr` }),
      options,
    );
  const good = await run(options);
  world.revoke();
  const replayed = await run(options);
  return [good, replayed];
}

describe('XMLHttpRequest', () => {
  for (const options of [
    { when: 'first' },
    { when: 'last' },
    { upload: 'first' },
    { responseType: 'json' },
    { body: null },
  ]) {
    test(`a replay looks like one request: ${JSON.stringify(options)}`, async () => {
      const page = await openPage(open, world, {}, withAsk);
      const [good, replayed] = await both(page, options);
      assert.deepEqual(replayed, good);
      assert.match(good.seen.at(-1), /^loadend 4 200$/);
      assert.deepEqual(
        data().map(({ status }) => status),
        [200, 401, 200],
      );
      assert.equal(data()[2].body, data()[0].body);
      assert.equal(world.minted.length, 2);
    });
  }

  test('a refusal that cannot be helped arrives step by step', async () => {
    const page = await openPage(open, world, {}, withAsk);
    const native = await page.evaluate(() => ask({ token: 'no token of ours', url: `${platform}/data/xhr` }));
    world.relay = (_, response) => response.writeHead(403).end();
    world.revoke();
    const released = await page.evaluate(() => ask({ token: mounted[0].token, url: `${platform}/data/xhr` }));
    assert.deepEqual(released, native);
    assert.match(native.seen.at(-1), /^loadend 4 401$/);
  });

  test('while the token is renewed the request looks unanswered, and can be aborted', async () => {
    const page = await openPage(open, world, {}, withAsk);
    world.relay = () => {};
    world.revoke();
    const [meanwhile, after, { seen }] = await page.evaluate(async () => {
      const done = ask({ token: mounted[0].token, url: `${platform}/data/xhr` });
      await new Promise((resolve) => setTimeout(resolve, 300));
      const xhr = under_way;
      const look = () => [
        xhr.readyState,
        xhr.status,
        xhr.responseText,
        xhr.responseURL,
        xhr.getAllResponseHeaders(),
      ];
      const meanwhile = look();
      xhr.abort();
      return [meanwhile, look(), await done];
    });
    assert.deepEqual(meanwhile, [1, 0, '', '', '']);
    assert.deepEqual(after, [0, 0, '', '', '']);
    assert.deepEqual(seen.slice(-3), ['readystatechange 4 0', 'abort 4 0', 'loadend 4 0']);
    assert.ok(!seen.some((line) => line.includes('401')));
  });

  test('its timeout holds while the token is renewed', async () => {
    const page = await openPage(open, world, {}, withAsk);
    world.relay = () => {};
    world.revoke();
    const { seen } = await page.evaluate(() =>
      ask({
        token: mounted[0].token,
        url: `${platform}/data/xhr`,
        prepare: (xhr) => {
          xhr.timeout = 500;
        },
      }),
    );
    assert.deepEqual(seen.slice(-3), ['readystatechange 4 0', 'timeout 4 0', 'loadend 4 0']);
  });

  test('an object can be used again, for whatever', async () => {
    const page = await openPage(open, world, {}, withAsk);
    world.relay = () => {};
    world.revoke();
    const outcome = await page.evaluate(async () => {
      const xhr = new XMLHttpRequest();
      xhr.open('GET', `${platform}/data/first`);
      xhr.setRequestHeader('x-qv-token', mounted[0].token);
      xhr.send();
      await new Promise((resolve) => setTimeout(resolve, 300));
      xhr.open('GET', `${stranger}/data/second`);
      await new Promise((resolve) => {
        xhr.onloadend = resolve;
        xhr.send();
      });
      return [xhr.readyState, xhr.status, Object.keys(xhr), Object.getOwnPropertyNames(xhr)];
    });
    assert.deepEqual(outcome, [4, 401, [], []]);
  });

  test('credentials and synchronous requests stay as they are', async () => {
    const page = await openPage(open, world, {}, withAsk);
    const outcome = await page.evaluate(async () => {
      const { token } = mounted[0];
      await widget.renew();
      const xhr = new XMLHttpRequest();
      xhr.open('GET', `${platform}/data/sync`, false);
      xhr.setRequestHeader('x-qv-token', token);
      xhr.send();
      const credentials = await ask({
        token,
        url: `${platform}/data/xhr`,
        prepare: (xhr) => {
          xhr.withCredentials = true;
        },
      });
      return [xhr.status, credentials.seen.at(-1), under_way.withCredentials];
    });
    assert.deepEqual(outcome, [200, 'loadend 4 200', true]);
  });

  test('a stranger gets what the page sent', async () => {
    const page = await openPage(open, world, {}, withAsk);
    await page.evaluate(async () => {
      const { token } = mounted[0];
      await widget.renew();
      await ask({ token, url: `${stranger}/data` });
    });
    assert.equal(world.requests.at(-1).headers['x-qv-token'], world.minted[0]);
    assert.equal(world.minted.length, 2);
  });

  test('the constructor is still itself', async () => {
    const page = await openPage(open, world);
    const looks = await page.evaluate(() => {
      class Own extends XMLHttpRequest {}
      const own = new Own();
      return [
        new XMLHttpRequest() instanceof XMLHttpRequest,
        own instanceof Own && own instanceof XMLHttpRequest,
        new XMLHttpRequest().constructor === XMLHttpRequest,
        XMLHttpRequest.name,
        XMLHttpRequest.DONE,
        XMLHttpRequest.prototype.open.length,
        XMLHttpRequest.prototype.send.name,
      ];
    });
    assert.deepEqual(looks, [true, true, true, 'XMLHttpRequest', 4, 2, 'send']);
  });
});
