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

  test('its timeout counts from the first request, and ends the second', { timeout: 60_000 }, async () => {
    for (const isBegun of [false, true]) {
      const page = await openPage(open, world, {}, withAsk);
      world.revoke();
      world.data = (status, response) => {
        if (status === 401) response.writeHead(401).end();
        else if (isBegun) response.writeHead(200, { 'content-type': 'text/plain' }).write('the beginning');
      };
      const { seen, answer } = await page.evaluate(() => {
        const done = ask({
          token: mounted[0].token,
          url: `${platform}/data/xhr`,
          prepare: (xhr) => {
            xhr.timeout = 600_000;
          },
        });
        // Almost all of it has passed by the time of the refusal.
        const { now } = performance;
        performance.now = () => now.call(performance) + 598_000;
        return done;
      });
      world.data = undefined;
      assert.deepEqual(seen.slice(-3), ['readystatechange 4 0', 'timeout 4 0', 'loadend 4 0']);
      assert.equal(seen.filter((line) => /abort|401|^upload load$/.test(line)).length, 1, `${seen}`);
      assert.equal(answer, '');
    }
  });

  test('a replay carries what was sent, and nothing of what was refused or changed since', {
    timeout: 60_000,
  }, async () => {
    const page = await openPage(open, world, {}, withAsk);
    world.revoke();
    const refusals = await page.evaluate(async () => {
      const refusals = [];
      const refused = (...calls) => {
        for (const call of calls) {
          try {
            call();
            refusals.push('taken');
          } catch ({ name }) {
            refusals.push(name);
          }
        }
      };
      const url = new URL(`${platform}/data/xhr`);
      const form = new URLSearchParams('a=1');
      const done = ask({
        token: mounted[0].token,
        url,
        body: form,
        prepare: (xhr) =>
          refused(
            () => xhr.setRequestHeader('x-other'),
            () => xhr.setRequestHeader('x-other', 'a\nb'),
            () => xhr.send(Symbol('no body')),
          ),
      });
      url.pathname = '/data/elsewhere';
      form.set('a', '2');
      refused(
        () => under_way.send('late'),
        () => under_way.setRequestHeader('x-other', 'late'),
      );
      await done;
      return refusals;
    });
    assert.deepEqual(refusals, [
      'TypeError',
      'SyntaxError',
      'TypeError',
      'InvalidStateError',
      'InvalidStateError',
    ]);
    const told = data().map(({ status, path, body, headers }) => [
      status,
      path,
      body,
      headers['content-type'],
      headers['x-other'],
    ]);
    const request = ['/data/xhr', 'a=1', 'application/json', undefined];
    assert.deepEqual(told, [
      [401, ...request],
      [200, ...request],
    ]);
  });

  for (const by of ['that was there before ours', 'of the page']) {
    test(`an object opened anew meanwhile, by a method ${by}, is left alone`, async () => {
      const page = await openPage(open, world, {}, () => {
        globalThis.older = XMLHttpRequest.prototype.open;
      });
      let release;
      world.relay = (_, response) => {
        release = () => response.writeHead(200, { 'content-type': 'application/json' });
      };
      world.revoke();
      await page.evaluate(async (by) => {
        const xhr = new XMLHttpRequest();
        xhr.open('POST', `${platform}/data/first`);
        xhr.setRequestHeader('x-qv-token', mounted[0].token);
        xhr.timeout = 60_000;
        xhr.send('first');
        await new Promise((resolve) => setTimeout(resolve, 300));
        const open = by === 'of the page' ? xhr.open : older;
        open.call(xhr, 'POST', `${stranger}/data/second`);
        xhr.send('second');
        await new Promise((resolve) => {
          xhr.onloadend = resolve;
        });
        globalThis.again = xhr;
      }, by);
      world.minted.push(world.token(2));
      release().end(JSON.stringify({ token: world.minted.at(-1), expires_in: 600 }));
      const seen = await page.evaluate(async () => {
        // The renewal has been heard of, and what follows from it has had its time.
        while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        await new Promise((resolve) => setTimeout(resolve, 200));
        return [again.readyState, again.status, again.responseURL, Object.getOwnPropertyNames(again)];
      });
      assert.deepEqual(seen, [4, 401, `${world.stranger}/data/second`, []]);
      assert.deepEqual(
        data().map(({ path, body }) => [path, body]),
        [
          ['/data/first', 'first'],
          ['/data/second', 'second'],
        ],
      );
    });
  }

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
