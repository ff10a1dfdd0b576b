// Tokens that are watched: renewed ahead of time, through failures, sleep and sign-out.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { useBrowser } from './support/browser.mjs';
import { json, problem, useStub } from './support/stub.mjs';

const open = useBrowser();
const stub = useStub();
let page;
let minted;

beforeEach(async () => {
  stub.reset();
  minted = 0;
  stub.answer = mint(2);
  page = await open(stub.url);
  await page.evaluate(async () => {
    const auth = await import('qrvey-auth');
    const client = auth.createClient();
    const events = [];
    for (const type of ['expiring', 'renewed', 'failed', 'expired']) {
      client.addEventListener(type, ({ detail }) => {
        const { error, expiresAt, ...rest } = detail;
        events.push({ type, code: error?.code, inMs: expiresAt && expiresAt - Date.now(), ...rest });
      });
    }
    const tokens = [];
    const got = ({ token }) => tokens.push(token);
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const until = async (condition) => {
      for (let i = 0; i < 1_000 && !condition(); i++) await pause(20);
      if (!condition()) throw new Error(`never: ${condition}; ${JSON.stringify({ tokens, events })}`);
    };
    Object.assign(globalThis, { auth, client, events, tokens, got, pause, until });
  });
});

const mint = (expiresIn) => (_, response) =>
  json(response, 200, { token: `T${++minted}`, expires_in: expiresIn });
const types = () => page.evaluate(() => events.map(({ type }) => type));

test('a watched token is renewed before it ends, and everybody gets the new one', async () => {
  const { others, order } = await page.evaluate(async () => {
    const others = [];
    const stop = new AbortController();
    await client.watch(got);
    await client.watch(({ token }) => others.push(token), { signal: stop.signal });
    await until(() => tokens.length === 2);
    stop.abort();
    await until(() => tokens.length === 3);
    return { others, order: tokens };
  });
  assert.deepEqual(order, ['T1', 'T2', 'T3']);
  assert.deepEqual(others, ['T1', 'T2'], 'who has left is not called again');
  assert.equal(stub.requests.length, 3);
  // A machine that is busy for half a second lets a token of two seconds end first.
  const seen = (await types()).filter((type) => type !== 'expired');
  assert.equal(seen.filter((type) => type === 'renewed').length, 2);
  const renewed = await page.evaluate(() => events.find(({ type }) => type === 'renewed'));
  assert.ok(renewed.inMs > 0 && renewed.inMs <= 2_000, `${renewed.inMs} ms`);
  const expiring = await page.evaluate(() => events.find(({ type }) => type === 'expiring'));
  if (expiring) assert.ok(expiring.inMs > 0 && expiring.inMs <= 401, `${expiring.inMs} ms before its end`);
  assert.equal(renewed.kind, 'composer');
});

test('headers from a function are asked for before each request, renewals and retries included', async () => {
  stub.answer = (request, response) =>
    stub.requests.length === 2
      ? problem(response, 503, 'upstream_unavailable')
      : mint(stub.requests.length === 1 ? 2 : 600)(request, response);
  const outcome = await page.evaluate(async () => {
    let asked = 0;
    const headers = async () => ({ authorization: `Bearer ${++asked}`, 'content-type': 'text/mine' });
    const stop = new AbortController();
    await client.watch(got, { headers, signal: stop.signal });
    await until(() => tokens.length === 2);
    stop.abort();
    const shared = await client.getComposerToken({ headers: () => ({ authorization: 'another' }) });
    return { shared, plain: await client.getComposerToken() };
  });
  assert.deepEqual(outcome, { shared: 'T2', plain: 'T3' });
  const sent = stub.requests.map(({ headers }) => headers.authorization);
  assert.deepEqual(sent, ['Bearer 1', 'Bearer 2', 'Bearer 3', undefined]);
  assert.equal(stub.requests[0].headers['content-type'], 'text/mine');
  assert.equal(stub.requests[3].headers['content-type'], 'application/json');
});

test('a function that gives no headers fails the call and nothing else', async () => {
  const outcomes = await page.evaluate(async () => {
    const broken = () => {
      throw new Error('mine');
    };
    const all = [broken, async () => broken(), () => ({ 'no name': 'x' }), () => new Promise(() => {})];
    const outcomes = [];
    for (const headers of all) {
      const error = await client.getComposerToken({ headers, retries: 0, timeoutMs: 100 }).catch((it) => it);
      outcomes.push([error.code, error.cause?.name]);
    }
    return [...outcomes, await client.getComposerToken({ headers: () => undefined })];
  });
  assert.deepEqual(outcomes, [
    ['relay_unreachable', 'Error'],
    ['relay_unreachable', 'Error'],
    ['relay_unreachable', 'TypeError'],
    ['timeout', undefined],
    'T1',
  ]);
});

test('who watches anew takes up a renewal that was given up', async () => {
  stub.answer = (request, response) =>
    stub.requests.length === 2 ? problem(response, 401, 'not_signed_in') : mint(10)(request, response);
  const order = await page.evaluate(async () => {
    // As early as chance can give: two seconds before its end.
    Math.random = () => 0;
    await client.watch(got);
    await until(() => events.some(({ type }) => type === 'failed'));
    // What is left of the token at hand is enough for this one.
    await client.watch(got, { minLifetimeMs: 0 });
    await until(() => tokens.length === 4);
    return tokens;
  });
  assert.deepEqual(order, ['T1', 'T1', 'T2', 'T2']);
});

test('nobody watching, nothing is renewed', async () => {
  await page.evaluate(async () => {
    const stop = new AbortController();
    await client.watch(got, { signal: stop.signal });
    stop.abort();
    await pause(2_500);
  });
  assert.equal(stub.requests.length, 1);
  assert.deepEqual(await types(), []);
});

test('the first token or the first error settles the promise', async () => {
  stub.answer = (_, response) => problem(response, 403, 'forbidden');
  const outcome = await page.evaluate(async () => {
    const failed = await client.watch(got).catch(({ code }) => code);
    const aborted = await client.watch(got, { signal: AbortSignal.abort('mine') }).catch((reason) => reason);
    const noFunction = await client.watch('text').catch(({ code }) => code);
    const noKind = await client.watch(got, { kind: 'other' }).catch(({ code, message }) => [code, message]);
    await pause(500);
    return { failed, aborted, noFunction, noKind, tokens };
  });
  assert.deepEqual(outcome, {
    failed: 'forbidden',
    aborted: 'mine',
    noFunction: 'invalid_options',
    noKind: ['invalid_options', 'option "kind" must be "composer" or "admin"'],
    tokens: [],
  });
  assert.equal(stub.requests.length, 1);
});

test('tokens that are over at once are asked for more and more slowly', async () => {
  stub.answer = mint(0);
  await page.evaluate(async () => {
    // The longest waits that chance can give: 1.2, 2.4 and 4.8 seconds.
    Math.random = () => 1 - Number.EPSILON;
    await client.watch(got);
    await until(() => tokens.length === 2);
    await pause(2_000);
  });
  assert.equal(stub.requests.length, 2);
});

test('a forced refresh reaches those who watch', async () => {
  stub.answer = mint(600);
  const order = await page.evaluate(async () => {
    await client.watch(got);
    await Promise.all([1, 2, 3].map(() => client.getComposerToken({ forceRefresh: true })));
    await until(() => tokens.length === 2);
    return tokens;
  });
  assert.deepEqual(order, ['T1', 'T2']);
  assert.equal(stub.requests.length, 2);
});

test('a callback that throws harms nobody else in Node either', async () => {
  const script = `
    import { createClient } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url))};
    process.on('uncaughtException', ({ message }) => console.log(message));
    await createClient({ relay: '${stub.url}/qrvey' }).watch(() => { throw new Error('mine'); });
    console.log('watched');
    process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  assert.deepEqual(stdout.trim().split('\n').sort(), ['mine', 'watched']);
});

test('a callback that throws harms nobody else', async () => {
  const order = await page.evaluate(async () => {
    globalThis.onerror = () => true;
    let calls = 0;
    await client.watch(() => {
      if (++calls > 1) throw new Error('mine');
    });
    await client.watch(got);
    await until(() => tokens.length === 3);
    return calls;
  });
  assert.ok(order >= 3);
});

describe('a renewal that fails', () => {
  // Long enough for a busy machine to see the failure before the token's end.
  beforeEach(() => {
    stub.answer = mint(8);
  });

  test('leaves the old token in use, tells, backs off, and recovers', async () => {
    const order = await page.evaluate(async () => {
      await client.watch(got, { retries: 0 });
      return tokens;
    });
    assert.deepEqual(order, ['T1']);
    stub.answer = (_, response) => problem(response, 503, 'upstream_unavailable');
    const kept = await page.evaluate(async () => {
      await until(() => events.some(({ type }) => type === 'failed'));
      return client.getComposerToken({ retries: 0 }).catch(({ code }) => code);
    });
    assert.equal(kept, 'T1');
    stub.answer = mint(600);
    await page.evaluate(() => until(() => tokens.length === 2));
    const failed = await page.evaluate(() => events.find(({ type }) => type === 'failed'));
    assert.equal(failed.code, 'upstream_unavailable');
    assert.ok(failed.retryInMs >= 500);
  });

  test('is not repeated after a 401, and the end of the token is told once', async () => {
    await page.evaluate(() => client.watch(got));
    stub.answer = (_, response) => problem(response, 401, 'not_signed_in');
    await page.evaluate(async () => {
      await until(() => events.some(({ type }) => type === 'expired'));
      globalThis.dispatchEvent(new Event('online'));
      await pause(1_500);
    });
    const seen = await types();
    assert.deepEqual(seen.filter((type) => type !== 'expiring').sort(), ['expired', 'failed']);
    assert.equal(stub.requests.length, 2);
    const failed = await page.evaluate(() => events.find(({ type }) => type === 'failed'));
    assert.deepEqual([failed.code, failed.retryInMs], ['not_signed_in', undefined]);
    stub.answer = mint(600);
    await page.evaluate(async () => {
      await client.getComposerToken();
      await until(() => tokens.length === 2);
    });
  });

  test('because the page is offline is made up for when it comes online', async () => {
    await page.evaluate(() => client.watch(got, { retries: 0 }));
    stub.answer = mint(600);
    await page.context().setOffline(true);
    await page.evaluate(() => until(() => events.filter(({ type }) => type === 'failed').length > 0));
    await page.evaluate(() => pause(1_200));
    await page.context().setOffline(false);
    await page.evaluate(() => until(() => tokens.length === 2));
    assert.equal(
      await page.evaluate(() => events.find(({ type }) => type === 'failed').code),
      'relay_unreachable',
    );
  });

  test('with Retry-After is not tried sooner', async () => {
    await page.evaluate(() => client.watch(got, { retries: 0 }));
    const times = [];
    stub.answer = (request, response) => {
      times.push(Date.now());
      if (times.length === 1) problem(response, 429, 'rate_limited', { 'retry-after': '2' });
      else mint(600)(request, response);
    };
    await page.evaluate(() => until(() => tokens.length === 2));
    assert.ok(times[1] - times[0] >= 2_000, `${times[1] - times[0]} ms`);
  });
});

describe('clocks', () => {
  for (const [what, shift] of [
    ['two days ahead', 2 * 86_400_000],
    ['two days behind', -2 * 86_400_000],
  ]) {
    test(`a wall clock ${what} changes nothing`, async () => {
      stub.answer = mint(60);
      const { left, more } = await page.evaluate(async (shift) => {
        const now = Date.now.bind(Date);
        Date.now = () => now() + shift;
        const { expiresAt } = await client.getComposerToken({ detailedResponse: true });
        await client.getComposerToken();
        return { left: expiresAt - Date.now(), more: tokens.length };
      }, shift);
      assert.ok(left > 58_000 && left <= 60_000, `${left} ms`);
      assert.equal(more, 0);
      assert.equal(stub.requests.length, 1);
    });
  }

  test('eight hours of sleep end a token, and one renewal follows', async () => {
    stub.answer = mint(3_600);
    await page.evaluate(async () => {
      await client.watch(got);
      // The monotonic clock stood still; the wall clock went on.
      const now = Date.now.bind(Date);
      Date.now = () => now() + 8 * 3_600_000;
      document.dispatchEvent(new Event('visibilitychange'));
      await until(() => tokens.length === 2);
      await pause(1_000);
    });
    assert.equal(stub.requests.length, 2);
    assert.deepEqual(await types(), ['expired', 'renewed']);
  });

  test('set back while running, the token still ends when it ends', async () => {
    const token = await page.evaluate(async () => {
      await client.getComposerToken();
      const now = Date.now.bind(Date);
      Date.now = () => now() - 48 * 3_600_000;
      await client.getComposerToken();
      await pause(2_100);
      return client.getComposerToken();
    });
    assert.equal(token, 'T2');
  });

  test('a year is no hot loop', async () => {
    stub.answer = mint(31_536_000);
    await page.evaluate(async () => {
      await client.watch(got);
      await pause(1_000);
    });
    assert.equal(stub.requests.length, 1);
  });
});

test('clearTokens ends every watch', async () => {
  await page.evaluate(async () => {
    await client.watch(got);
    client.clearTokens();
    await pause(2_500);
  });
  assert.equal(stub.requests.length, 1);
  const events = await page.evaluate(() => globalThis.events);
  assert.deepEqual(
    events.map(({ type, code }) => [type, code]),
    [['failed', 'not_signed_in']],
  );
});

test('a callback that clears the tokens ends its own watch', async () => {
  await page.evaluate(async () => {
    await client.watch(() => client.clearTokens());
    await pause(2_500);
  });
  assert.equal(stub.requests.length, 1);
});

describe('a renewal under way', () => {
  /** Has one hang, ends it so, and tells how often it failed. */
  const failuresAfter = async (end) => {
    let isAsked;
    const asked = new Promise((resolve) => {
      isAsked = resolve;
    });
    await page.evaluate(async () => {
      globalThis.stop = new AbortController();
      await client.watch(got, { signal: stop.signal });
    });
    stub.answer = isAsked;
    await asked;
    await page.evaluate(end);
    await page.evaluate(() => pause(500));
    assert.equal(stub.givenUp, 1);
    return (await types()).filter((type) => type === 'failed').length;
  };

  test('is cancelled when the last who watches has left', async () => {
    assert.equal(await failuresAfter(() => stop.abort()), 0);
  });

  test('that signing out ends is told of once', async () => {
    assert.equal(await failuresAfter(() => client.clearTokens()), 1);
  });
});

test('a default signal ends a watch and leaves no listener', async () => {
  const left = await page.evaluate(async () => {
    let listening = 0;
    const { addEventListener, removeEventListener } = globalThis;
    globalThis.addEventListener = (...args) => {
      listening += 1;
      addEventListener(...args);
    };
    globalThis.removeEventListener = (...args) => {
      listening -= 1;
      removeEventListener(...args);
    };
    const stop = new AbortController();
    await auth.createClient({ signal: stop.signal }).watch(got);
    const during = listening;
    stop.abort();
    return [during > 0, listening];
  });
  assert.deepEqual(left, [true, 0]);
});

test('a watch outlives a panic', async () => {
  const order = await page.evaluate(async () => {
    await client.watch(got);
    const now = Date.now;
    let code;
    Date.now = () => {
      Date.now = now;
      code = client.getComposerToken().catch(({ code }) => code);
      return now();
    };
    await client.getComposerToken().catch(() => {});
    await until(() => tokens.length >= 3);
    return code;
  });
  assert.equal(order, 'internal');
});
