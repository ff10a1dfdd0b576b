// The token functions in Chromium, against relays that a test controls.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { useBrowser } from './support/browser.mjs';
import { json, opaqueToken, problem, useStub } from './support/stub.mjs';

const open = useBrowser();
const stub = useStub();
let page;

beforeEach(async () => {
  stub.reset();
  page = await open(stub.url);
  await page.evaluate(async () => {
    const auth = await import('qrvey-auth');
    const fields = ['code', 'name', 'message', 'status', 'retryable', 'retryAfter', 'requestId'];
    const describe = (error) => {
      if (!(error instanceof auth.QrveyAuthError && error instanceof Error))
        return { foreign: String(error) };
      const cause = error.cause === undefined ? undefined : String(error.cause);
      return { ...Object.fromEntries(fields.map((field) => [field, error[field]])), cause };
    };
    const failure = (promise) => promise.then(() => 'no error', describe);
    Object.assign(globalThis, { auth, failure });
  });
});

/** Runs a function in the page, where `auth` is the module, and `failure` waits for an error. */
const run = (body, argument) => page.evaluate(body, argument);

describe('a token', () => {
  test('is asked for at /qrvey with no configuration, and reused', async () => {
    const tokens = await run(async () => [await auth.getComposerToken(), await auth.getComposerToken()]);
    assert.deepEqual(tokens, [opaqueToken(), opaqueToken()]);
    assert.equal(stub.requests.length, 1);
    const [{ method, path, headers, body }] = stub.requests;
    assert.deepEqual([method, path, body], ['POST', '/qrvey/composer-token', '{}']);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['cache-control'], undefined);
  });

  test('for the Admin Center has a path and a cache of its own', async () => {
    stub.answer = ({ path }, response) =>
      json(response, 200, { token: path.includes('admin') ? 'admin' : 'composer', expires_in: 60 });
    const tokens = await run(async () => [
      await auth.getAdminToken(),
      await auth.getComposerToken(),
      await auth.getAdminToken(),
    ]);
    assert.deepEqual(tokens, ['admin', 'composer', 'admin']);
    assert.deepEqual(
      stub.requests.map(({ path, body }) => [path, body]),
      [
        ['/qrvey/admin-token', '{}'],
        ['/qrvey/composer-token', '{}'],
      ],
    );
  });

  test('comes with its end and the domain when asked in detail', async () => {
    stub.answer = (_, response) =>
      json(response, 200, { token: 'T', expires_in: 540, domain: 'https://tenant.example' });
    const { detail, now } = await run(async () => ({
      detail: await auth.getComposerToken({ detailedResponse: true }),
      now: Date.now(),
    }));
    assert.deepEqual(Object.keys(detail).sort(), ['domain', 'expiresAt', 'token']);
    assert.equal(detail.token, 'T');
    assert.equal(detail.domain, 'https://tenant.example');
    const left = detail.expiresAt - now;
    assert.ok(left > 530_000 && left <= 540_000, `${left} ms left`);
  });

  test('sends the profile, headers and credentials it is told to, and keeps them apart', async () => {
    let minted = 0;
    stub.answer = (_, response) => json(response, 200, { token: `T${++minted}`, expires_in: 600 });
    const tokens = await run(async () => {
      const ask = auth.getComposerToken;
      return [
        await ask({ profile: 'sa"les' }),
        await ask({ headers: { Authorization: 'Bearer a' } }),
        await ask({ headers: new Headers({ authorization: 'Bearer b' }) }),
        await ask({ headers: [['AUTHORIZATION', 'Bearer a']] }),
        await ask({ relay: '/other/' }),
        await ask({ profile: 'sa"les' }),
        await ask({ profile: 'sa"les', credentials: 'omit' }),
        await ask({ profile: 'sa"les', credentials: 'include' }),
        await ask({ profile: 'sa"les', credentials: 'same-origin' }),
      ];
    });
    assert.deepEqual(tokens, ['T1', 'T2', 'T3', 'T2', 'T4', 'T1', 'T5', 'T6', 'T1']);
    assert.equal(stub.requests[0].body, '{"profile":"sa\\"les"}');
    assert.equal(stub.requests[1].headers.authorization, 'Bearer a');
    assert.equal(stub.requests[3].path, '/other/composer-token');
  });

  test('may come from an Express-style endpoint that answers {token} and nothing else', async () => {
    let minted = 0;
    stub.answer = (_, response) => json(response, 200, { token: opaqueToken(++minted) });
    const tokens = await run(async () => {
      const ask = (more) =>
        auth.getComposerToken({ endpoint: '/api/generate-qrvey-token', body: { user: 1 }, ...more });
      return [await ask(), await ask(), await ask({ lifetimeMs: 60_000 }), await ask()];
    });
    assert.deepEqual(tokens, [1, 2, 3, 3].map(opaqueToken));
    assert.deepEqual(
      stub.requests.map(({ path, body }) => [path, body]),
      Array(3).fill(['/api/generate-qrvey-token', '{"user":1}']),
    );
  });

  test('that can be read tells its lifetime, whatever its clock says', async () => {
    const claims = Buffer.from(JSON.stringify({ iat: 1_000, exp: 1_600, n: 'ü' })).toString('base64url');
    stub.answer = (_, response) => json(response, 200, { token: `e.${claims}.s` });
    const left = await run(async () => {
      const { expiresAt } = await auth.getComposerToken({ detailedResponse: true });
      return expiresAt - Date.now();
    });
    assert.ok(left > 590_000 && left <= 600_000, `${left} ms left`);
    await run(() => auth.getComposerToken());
    assert.equal(stub.requests.length, 1);
  });

  test('is renewed when too little of it is left, and when a refresh is forced', async () => {
    let minted = 0;
    stub.answer = (_, response) => json(response, 200, { token: `T${++minted}`, expires_in: 100 });
    const tokens = await run(async () => [
      await auth.getComposerToken(),
      await auth.getComposerToken({ minLifetimeMs: 99_000 }),
      await auth.getComposerToken({ minLifetimeMs: 101_000 }),
      await auth.getComposerToken({ forceRefresh: true }),
      await auth.getComposerToken(),
    ]);
    assert.deepEqual(tokens, ['T1', 'T1', 'T2', 'T3', 'T3']);
    assert.deepEqual(
      stub.requests.map(({ headers }) => headers['cache-control']),
      [undefined, undefined, 'max-age=0'],
    );
  });

  test('is not used a moment longer than it lives', async () => {
    let minted = 0;
    stub.answer = (_, response) => json(response, 200, { token: `T${++minted}`, expires_in: 1 });
    const tokens = await run(async () => {
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const tokens = [await auth.getComposerToken(), await auth.getComposerToken()];
      await pause(1_000);
      tokens.push(await auth.getComposerToken({ minLifetimeMs: 0 }));
      return tokens;
    });
    assert.deepEqual(tokens, ['T1', 'T1', 'T2']);
  });
});

describe('many callers', () => {
  test('that clear the tokens between two calls get one of before and one of after', async () => {
    let minted = 0;
    stub.answer = (_, response) => json(response, 200, { token: `T${++minted}`, expires_in: 600 });
    const outcome = await run(async () => {
      const before = failure(auth.getComposerToken());
      auth.clearTokens();
      const after = auth.getComposerToken();
      return [(await before).code, await after, await auth.getComposerToken()];
    });
    assert.equal(outcome[0], 'not_signed_in');
    assert.equal(outcome[1], outcome[2]);
  });

  test('1 000 at once make one request and get one token', async () => {
    stub.answer = (_, response) => setTimeout(() => json(response, 200, { token: 'T', expires_in: 60 }), 100);
    const different = await run(async () => {
      const tokens = await Promise.all(Array.from({ length: 1_000 }, () => auth.getComposerToken()));
      return [...new Set(tokens)];
    });
    assert.deepEqual(different, ['T']);
    assert.equal(stub.requests.length, 1);
  });

  test('that fail together may try again', async () => {
    let failing = true;
    stub.answer = (_, response) =>
      failing ? problem(response, 401, 'not_signed_in') : json(response, 200, { token: 'T', expires_in: 60 });
    const codes = await run(async () => {
      const failures = await Promise.all([1, 2, 3].map(() => failure(auth.getComposerToken())));
      return failures.map(({ code }) => code);
    });
    assert.deepEqual(codes, Array(3).fill('not_signed_in'));
    assert.equal(stub.requests.length, 1);
    failing = false;
    assert.equal(await run(() => auth.getComposerToken()), 'T');
  });

  test('abort for themselves: each gets its own reason, the request goes on for the others', async () => {
    stub.answer = (_, response) => setTimeout(() => json(response, 200, { token: 'T', expires_in: 60 }), 300);
    const outcome = await run(async () => {
      const reason = { mine: true };
      const leaving = new AbortController();
      const left = auth.getComposerToken({ signal: leaving.signal }).catch((error) => error === reason);
      const text = auth.getComposerToken({ signal: AbortSignal.abort('text') }).catch((error) => error);
      const staying = auth.getComposerToken();
      setTimeout(() => leaving.abort(reason), 50);
      return [await left, await text, await staying];
    });
    assert.deepEqual(outcome, [true, 'text', 'T']);
    assert.equal(stub.requests.length, 1);
    assert.equal(stub.givenUp, 0);
  });

  test('the last to leave cancels the request, and the next call makes a new one', async () => {
    stub.answer = () => {};
    const first = await run(async () => {
      const controllers = [new AbortController(), new AbortController()];
      const calls = controllers.map(({ signal }) => auth.getComposerToken({ signal }).catch((e) => e.name));
      setTimeout(() => {
        for (const controller of controllers) controller.abort();
      }, 200);
      return Promise.all(calls);
    });
    assert.deepEqual(first, ['AbortError', 'AbortError']);
    stub.answer = (_, response) => json(response, 200, { token: 'T', expires_in: 60 });
    assert.equal(await run(() => auth.getComposerToken()), 'T');
    assert.equal(stub.requests.length, 2);
    assert.equal(stub.givenUp, 1);
  });
});

describe('clearTokens', () => {
  test('forgets, cancels, and no later answer revives', async () => {
    const release = [];
    stub.answer = (_, response) => release.push(() => json(response, 200, { token: 'OLD', expires_in: 60 }));
    const waiting = run(async () => {
      const call = failure(auth.getComposerToken());
      await new Promise((resolve) => setTimeout(resolve, 300));
      auth.clearTokens();
      return call;
    });
    const error = await waiting;
    assert.equal(error.code, 'not_signed_in');
    assert.equal(error.retryable, false);
    for (const answer of release) answer();
    stub.answer = (_, response) => json(response, 200, { token: 'NEW', expires_in: 60 });
    assert.equal(await run(() => auth.getComposerToken()), 'NEW');
  });

  test('reaches a call under way that a forced one has outrun', async () => {
    stub.answer = () => {};
    const codes = await run(async () => {
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const calls = [failure(auth.getComposerToken())];
      await pause(300);
      calls.push(failure(auth.getComposerToken({ forceRefresh: true })));
      await pause(300);
      auth.clearTokens();
      return (await Promise.all(calls)).map(({ code }) => code);
    });
    assert.deepEqual(codes, ['not_signed_in', 'not_signed_in']);
    assert.equal(stub.requests.length, 2);
  });

  test('reaches a call that is still loading the module', async () => {
    const error = await run(() => {
      const call = failure(auth.getComposerToken());
      auth.clearTokens();
      return call;
    });
    assert.equal(error.code, 'not_signed_in');
    assert.equal(stub.requests.length, 0);
  });
});

test('clients have defaults and tokens of their own', async () => {
  stub.answer = ({ path }, response) => json(response, 200, { token: path, expires_in: 60 });
  const tokens = await run(async () => {
    auth.configure({ relay: '/page' });
    const one = auth.createClient({ relay: '/one' });
    const tokens = [await auth.getComposerToken(), await one.getComposerToken()];
    one.clearTokens();
    one.configure({ relay: '/two' });
    tokens.push(await auth.getComposerToken(), await one.getComposerToken());
    return tokens;
  });
  const path = (base) => `${base}/composer-token`;
  assert.deepEqual(tokens, ['/page', '/one', '/page', '/two'].map(path));
  assert.equal(stub.requests.length, 3);
});

test('what a page lacks is named', async () => {
  const errors = await run(async () => {
    const errors = [];
    for (const name of ['AbortController', 'WebAssembly', 'fetch']) {
      const { [name]: held } = globalThis;
      delete globalThis[name];
      errors.push(await failure(auth.getComposerToken()));
      globalThis[name] = held;
    }
    return errors;
  });
  assert.deepEqual(
    errors.map(({ code, message }) => [code, message.split(' ')[0]]),
    ['AbortController', 'WebAssembly', 'fetch'].map((name) => ['unsupported_environment', name]),
  );
  assert.deepEqual(stub.requests, []);
  assert.equal(await run(() => auth.getComposerToken()), opaqueToken());
});

describe('wrong options', () => {
  for (const [options, key] of [
    [{ reley: '/x' }, 'reley'],
    [{ relay: 5 }, 'relay'],
    [{ endpoint: true }, 'endpoint'],
    [{ body: {} }, 'body'],
    [{ endpoint: '/x', body: 'text' }, 'body'],
    [{ profile: 1.5 }, 'profile'],
    [{ headers: 'x' }, 'headers'],
    [{ headers: { 'bad name': 'x' } }, 'headers'],
    [{ headers: { a: 'line\nbreak' } }, 'headers'],
    [{ credentials: 'maybe' }, 'credentials'],
    [{ timeoutMs: '10' }, 'timeoutMs'],
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ timeoutMs: Number.NaN }, 'timeoutMs'],
    [{ retries: 1.5 }, 'retries'],
    [{ retries: 11 }, 'retries'],
    [{ signal: {} }, 'signal'],
    [{ forceRefresh: 'yes' }, 'forceRefresh'],
    [{ minLifetimeMs: -1 }, 'minLifetimeMs'],
    [{ lifetimeMs: Number.POSITIVE_INFINITY }, 'lifetimeMs'],
    [{ detailedResponse: 1 }, 'detailedResponse'],
    [{ relay: 'http://user:secret@127.0.0.1' }, 'relay'],
  ]) {
    test(`${key}: ${JSON.stringify(options[key] ?? String(options[key]))}`, async () => {
      const errors = await run(
        async (argument) => {
          const options = new Function(`return ${argument}`)();
          return [
            await failure(auth.getComposerToken(options)),
            await failure(auth.createClient(options).getComposerToken()),
          ];
        },
        key === 'timeoutMs' && Number.isNaN(options.timeoutMs)
          ? '({ timeoutMs: NaN })'
          : key === 'lifetimeMs'
            ? '({ lifetimeMs: Infinity })'
            : `(${JSON.stringify(options)})`,
      );
      for (const error of errors) {
        assert.equal(error.code, 'invalid_options', JSON.stringify(error));
        assert.ok(error.message.includes(`"${key}"`), error.message);
        assert.ok(!error.message.includes('secret'), error.message);
        assert.equal(error.retryable, false);
      }
      assert.equal(stub.requests.length, 0);
    });
  }

  test('a value that is no object, and a profile for an admin token', async () => {
    const [text, profile] = await run(async () => [
      await failure(auth.getComposerToken('text')),
      await failure(auth.getAdminToken({ profile: 'x' })),
    ]);
    assert.equal(text.code, 'invalid_options');
    assert.equal(profile.code, 'invalid_options');
    assert.ok(profile.message.includes('"profile"'));
  });
});

describe('a relay that fails', () => {
  const ask = (options) => run((argument) => failure(auth.getComposerToken(argument)), options);

  for (const [status, problemCode, code] of [
    [400, 'invalid_request', 'relay_error'],
    [401, 'not_signed_in', 'not_signed_in'],
    [403, 'forbidden', 'forbidden'],
    [404, 'unknown_profile', 'unknown_profile'],
    [500, 'internal', 'relay_error'],
  ]) {
    test(`with ${status} gives ${code}, without asking twice`, async () => {
      stub.answer = (_, response) => problem(response, status, problemCode);
      const error = await ask();
      assert.deepEqual(
        [error.code, error.status, error.requestId, error.retryable, error.name],
        [code, status, 'req-1', false, 'QrveyAuthError'],
      );
      assert.equal(stub.requests.length, 1);
    });
  }

  test('with 503 is asked again, and the third answer counts', async () => {
    stub.answer = (_, response) =>
      stub.requests.length < 3
        ? problem(response, 503, 'upstream_unavailable')
        : json(response, 200, { token: 'T', expires_in: 60 });
    assert.equal(await run(() => auth.getComposerToken()), 'T');
    assert.equal(stub.requests.length, 3);
  });

  for (const [status, code] of [
    [429, 'rate_limited'],
    [502, 'upstream_unavailable'],
    [504, 'upstream_unavailable'],
  ]) {
    test(`with ${status} for ever gives ${code}`, async () => {
      stub.answer = (_, response) => problem(response, status, 'rate_limited');
      const error = await ask({ retries: 1 });
      assert.deepEqual([error.code, error.status, error.retryable], [code, status, true]);
      assert.equal(stub.requests.length, 2);
    });
  }

  test('with Retry-After is not asked sooner', async () => {
    const times = [];
    stub.answer = (_, response) => {
      times.push(Date.now());
      if (times.length > 1) json(response, 200, { token: 'T', expires_in: 60 });
      else problem(response, 429, 'rate_limited', { 'retry-after': '1' });
    };
    assert.equal(await run(() => auth.getComposerToken()), 'T');
    assert.ok(times[1] - times[0] >= 1_000, `${times[1] - times[0]} ms`);
  });

  test('with a Retry-After beyond the time limit is not waited for', async () => {
    const soon = new Date(Date.now() + 60_000).toUTCString();
    stub.answer = (_, response) => problem(response, 429, 'rate_limited', { 'retry-after': soon });
    const error = await ask();
    assert.equal(error.code, 'rate_limited');
    assert.ok(error.retryAfter > 50 && error.retryAfter <= 60, String(error.retryAfter));
    assert.equal(stub.requests.length, 1);
  });

  test('with HTML and 200 gives invalid_response and quotes none of it', async () => {
    stub.answer = (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><b>canary</b>');
    const error = await ask();
    assert.deepEqual([error.code, error.status], ['invalid_response', 200]);
    assert.ok(!JSON.stringify(error).includes('canary'));
  });

  for (const [what, body] of [
    ['null', 'null'],
    ['a number', '5'],
    ['no token', '{}'],
    ['an empty token', '{"token":""}'],
    ['a token that is a number', '{"token":5}'],
    ['a token with a line break', '{"token":"a\\nb"}'],
    ['a page as a token', '{"token":"<html> </html>"}'],
    ['a negative lifetime', '{"token":"T","expires_in":-1}'],
    ['a lifetime in words', '{"token":"T","expires_in":"soon"}'],
    ['half an object', '{"token":"canary'],
    ['nothing', ''],
  ]) {
    test(`with ${what} gives invalid_response`, async () => {
      stub.answer = (_, response) => response.writeHead(200).end(body);
      const error = await ask();
      assert.equal(error.code, 'invalid_response', JSON.stringify(error));
      assert.ok(!JSON.stringify(error).includes('canary'));
    });
  }

  test('with a redirect is not followed', async () => {
    stub.answer = ({ path }, response) =>
      path === '/sign-in'
        ? response.end('{"token":"wrong"}')
        : response.writeHead(302, { location: '/sign-in' }).end();
    const error = await ask();
    assert.deepEqual([error.code, error.status], ['relay_error', undefined]);
    assert.equal(stub.requests.length, 1);
  });

  test('by not being there gives relay_unreachable, with the cause', async () => {
    const error = await ask({ relay: 'http://127.0.0.1:9/qrvey', retries: 0 });
    assert.deepEqual([error.code, error.retryable], ['relay_unreachable', true]);
    assert.ok(error.cause.includes('TypeError'), error.cause);
  });

  test('by cutting the line gives relay_unreachable', async () => {
    stub.answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"tok');
      response.destroy();
    };
    assert.equal((await ask({ retries: 0 })).code, 'relay_unreachable');
  });

  for (const [what, answer] of [
    ['never answering', () => {}],
    ['stalling in the middle', (_, response) => response.writeHead(200).write('{"token":')],
  ]) {
    test(`by ${what} gives timeout and ends the request`, async () => {
      stub.answer = answer;
      const error = await ask({ timeoutMs: 300 });
      assert.deepEqual([error.code, error.retryable], ['timeout', true]);
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.equal(stub.givenUp, 1);
      stub.answer = (_, response) => json(response, 200, { token: 'T', expires_in: 60 });
      assert.equal(await run(() => auth.getComposerToken()), 'T');
    });
  }
});

describe('a page that replaces fetch', () => {
  for (const [what, replacement, code] of [
    ['throwing a string', "() => { throw 'text' }", 'relay_unreachable'],
    ['rejecting with nothing', '() => Promise.reject()', 'relay_unreachable'],
    ['returning no promise', '() => 5', 'invalid_response'],
    [
      'resolving to an object',
      "async () => ({ ok: true, json: async () => ({ token: 'x' }) })",
      'invalid_response',
    ],
    [
      'with a body that fails with a string',
      "async () => new Response(new ReadableStream({ start(c) { c.error('text') } }))",
      'relay_unreachable',
    ],
    [
      'with a used body',
      'async () => { const r = new Response("{}"); await r.text(); return r }',
      'relay_unreachable',
    ],
    ['that never settles', '() => new Promise(() => {})', 'timeout'],
  ]) {
    test(`${what} gives ${code}, and the next call works`, async () => {
      const [error, token] = await run(async (argument) => {
        const original = globalThis.fetch;
        globalThis.fetch = new Function(`return ${argument}`)();
        const error = await failure(auth.getComposerToken({ retries: 0, timeoutMs: 500 }));
        globalThis.fetch = original;
        return [error, await auth.getComposerToken()];
      }, replacement);
      assert.equal(error.code, code, JSON.stringify(error));
      assert.equal(token, opaqueToken());
    });
  }
});

test('a getter that throws is named, with what it threw, and the next call works', async () => {
  const outcome = await run(async () => {
    const options = {
      get profile() {
        throw new RangeError('mine');
      },
    };
    const { code, message, cause } = await failure(auth.getComposerToken(options));
    auth.configure({});
    return [code, message.includes('"profile"'), cause, await auth.getComposerToken()];
  });
  assert.deepEqual(outcome, ['invalid_options', true, 'RangeError: mine', opaqueToken()]);
});

test('a panic in Rust settles every promise with `internal`, and the next call works', async () => {
  stub.answer = ({ path }, response) => {
    if (!path.startsWith('/hang')) json(response, 200, { token: 'T', expires_in: 60 });
  };
  const outcome = await run(async () => {
    const other = auth.createClient({ relay: '/hang' });
    const waiting = failure(other.getComposerToken());
    await new Promise((resolve) => setTimeout(resolve, 100));
    // A clock that calls back into the module while the module reads it.
    const now = Date.now;
    Date.now = () => {
      Date.now = now;
      auth.getComposerToken({}).catch(() => {});
      return now();
    };
    const panicked = await failure(auth.getComposerToken());
    const others = await waiting;
    const again = [await auth.getComposerToken(), await auth.getComposerToken()];
    other.configure({});
    return [panicked, others, again, await other.getComposerToken()];
  });
  const [panicked, others, again, afterwards] = outcome;
  for (const error of [panicked, others]) {
    assert.equal(error.code, 'internal', JSON.stringify(error));
    assert.match(error.cause, /panicked at .*\.rs:\d+|unreachable/);
  }
  assert.deepEqual(again, ['T', 'T']);
  assert.equal(afterwards, 'T');
});

test('the debug switch tells outcomes and never a token', async () => {
  const lines = [];
  page.on('console', (message) => lines.push(message.text()));
  await run(async () => {
    await auth.getComposerToken();
    globalThis.QRVEY_AUTH_DEBUG = true;
    await auth.getComposerToken();
    await auth.createClient().getAdminToken();
    await failure(auth.getComposerToken({ signal: AbortSignal.abort('mine') }));
    await failure(auth.getComposerToken({ nonsense: 1 }));
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
  const all = lines.join('\n');
  for (const line of ['composer held', 'admin received', 'composer aborted', 'composer invalid_options']) {
    assert.ok(all.includes(`qrvey-auth: ${line}`), all);
  }
  assert.ok(!all.includes(opaqueToken()), all);
});

describe('content security policy', () => {
  const policy = (script) =>
    `default-src 'none'; script-src 'self'${script}; connect-src 'self'; require-trusted-types-for 'script'`;
  const ask = () =>
    page.evaluate(async () => {
      const { getComposerToken } = await import('/dist/index.js');
      return getComposerToken().catch(({ code, message }) => ({ code, message }));
    });

  test('the strictest one with wasm-unsafe-eval and Trusted Types is enough', async () => {
    stub.pageHeaders = { 'content-security-policy': policy(" 'wasm-unsafe-eval'") };
    page = await open(stub.url);
    page.problems = [];
    assert.equal(await ask(), opaqueToken());
    assert.deepEqual(page.problems, []);
  });

  test('without wasm-unsafe-eval the error names the directive', async () => {
    stub.pageHeaders = { 'content-security-policy': policy('') };
    page = await open(stub.url);
    const { code, message } = await ask();
    assert.equal(code, 'module_load_failed');
    assert.ok(message.includes("'wasm-unsafe-eval'"), message);
  });
});
