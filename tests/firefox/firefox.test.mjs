// The built package in Firefox: what browsers are known to differ in.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { json, opaqueToken, useStub } from '../e2e/support/stub.mjs';
import { launch } from './support/firefox.mjs';

const stub = useStub();
stub.page = '<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title>';
let browser;
let page;
let problems;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());
beforeEach(() => stub.reset());
afterEach(() => page?.close());

/** A new page of the stub's, whose `auth` is the module. */
async function open(headers = {}) {
  stub.pageHeaders = headers;
  page = await browser.newPage();
  problems = [];
  const note = (problem) => {
    // Firefox asks for an icon of its own accord, and reports that the policy forbids it.
    if (!problem.includes('/favicon.ico')) problems.push(problem);
  };
  page.on('console', (message) => message.type() === 'error' && note(message.text()));
  page.on('pageerror', (error) => note(String(error)));
  await page.goto(stub.url);
  await page.evaluate(async () => {
    globalThis.auth = await import('/dist/index.js');
  });
}

/** Runs a function in the page. */
const run = (body, argument) => page.evaluate(body, argument);

test('a token is fetched once and reused', async () => {
  await open();
  const tokens = await run(async () => [await auth.getComposerToken(), await auth.getComposerToken()]);
  assert.deepEqual(tokens, [opaqueToken(), opaqueToken()]);
  assert.equal(stub.requests.length, 1);
  assert.deepEqual(problems, []);
});

test('a thousand calls at the same time make one request', async () => {
  await open();
  const tokens = await run(() => Promise.all(Array.from({ length: 1_000 }, () => auth.getComposerToken())));
  assert.deepEqual(tokens, Array(1_000).fill(opaqueToken()));
  assert.equal(stub.requests.length, 1);
});

test("an abort gives the caller's own reason back and cancels the request", async () => {
  await open();
  stub.answer = () => {};
  const outcome = await run(async () => {
    const controller = new AbortController();
    const reason = { of: 'the caller' };
    const asked = auth.getComposerToken({ signal: controller.signal });
    setTimeout(() => controller.abort(reason), 100);
    return asked.then(
      () => 'no error',
      (error) => (error === reason ? 'the reason itself' : String(error)),
    );
  });
  assert.equal(outcome, 'the reason itself');
  for (let wait = 0; stub.givenUp < stub.requests.length && wait < 100; wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(stub.givenUp, stub.requests.length);
});

test('errors are the module’s own, with what the browser threw as cause', async () => {
  await open();
  const failure = () =>
    auth.getComposerToken({ retries: 0 }).catch((error) => ({
      own: error instanceof auth.QrveyAuthError && error instanceof Error,
      code: error.code,
      cause: String(error.cause),
    }));
  stub.answer = (_, response) => response.destroy();
  const { own, code, cause } = await run(failure);
  assert.deepEqual([own, code], [true, 'relay_unreachable']);
  assert.match(cause, /TypeError: NetworkError/);
  stub.answer = (_, response) => json(response, 401, {});
  assert.equal((await run(failure)).code, 'not_signed_in');
});

describe('content security policy', () => {
  const policy = (script) => ({
    'content-security-policy': `default-src 'none'; script-src 'self'${script}; connect-src 'self'; require-trusted-types-for 'script'`,
  });

  test('the strictest one with wasm-unsafe-eval and Trusted Types is enough', async () => {
    await open(policy(" 'wasm-unsafe-eval'"));
    assert.equal(await run(() => auth.getComposerToken()), opaqueToken());
    assert.deepEqual(problems, []);
  });

  test('without wasm-unsafe-eval the error names the directive', async () => {
    await open(policy(''));
    const { code, message } = await run(() =>
      auth.getComposerToken().catch(({ code, message }) => ({ code, message })),
    );
    assert.equal(code, 'module_load_failed');
    assert.ok(message.includes("'wasm-unsafe-eval'"), message);
  });
});
