// The main job: browser → relay → platform → widget, on real sockets, on the demo page itself.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useBrowser } from './support/browser.mjs';
import { useSandbox } from './support/sandbox.mjs';

const open = useBrowser();
const sandbox = useSandbox();

/** The demo page with a user signed in through its own switcher. */
async function signedIn(name) {
  const page = await open(sandbox.host);
  await signIn(page, name);
  return page;
}

async function signIn(page, name) {
  await page.locator('#stage').getByText(name).first().click();
}

/** A page with a session but without the demo, for calls that are a test's own. */
async function blank(user) {
  const page = await open(`${sandbox.host}/favicon.svg`);
  await page.evaluate(async (user) => {
    if (user) {
      const headers = { 'content-type': 'application/json' };
      await fetch('/session', { method: 'POST', headers, body: JSON.stringify({ user }) });
    }
    globalThis.auth = await import('/qrvey-auth/index.js');
    globalThis.failure = (promise) =>
      promise.then(
        () => 'no error',
        ({ code, status }) => [code, status],
      );
  }, user);
  return page;
}

/** The tenants whose rows the widget shows, once it shows any. */
async function tenantsShown(page, tag = 'qrvey-end-user') {
  const rows = page.locator(`${tag} tr[data-tenant]`);
  await rows.first().waitFor();
  return rows.evaluateAll((all) => [...new Set(all.map((row) => row.dataset.tenant))]);
}

describe('the demo page', () => {
  test('draws the widget with rows of the signed-in tenant only, and of another after a switch', async () => {
    const page = await signedIn('Ada Lindqvist');
    assert.deepEqual(await tenantsShown(page), ['aurora']);
    await signIn(page, 'Cleo Barnes');
    await page.locator('qrvey-end-user tr[data-tenant="basalt"]').first().waitFor();
    assert.deepEqual(await tenantsShown(page), ['basalt']);
    const logins = await sandbox.logins();
    assert.deepEqual(
      logins.map(({ body }) => body.clientid),
      ['ada', 'cleo'],
    );
  });

  test('shows nothing and asks for nothing after signing out', async () => {
    const page = await signedIn('Ada Lindqvist');
    await tenantsShown(page);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('qrvey-end-user').waitFor({ state: 'detached' });
    // The widget goes first, and the session after it.
    await page.locator('#sign-out').waitFor({ state: 'hidden' });
    const answer = await page.evaluate(async () => {
      const { getComposerToken } = await import('qrvey-auth');
      return getComposerToken().catch(({ code }) => code);
    });
    assert.equal(answer, 'not_signed_in');
  });
});

describe('the relay, asked by the module', () => {
  test('tells the kinds of refusal apart', async () => {
    const nobody = await blank();
    assert.deepEqual(await nobody.evaluate(() => failure(auth.getComposerToken())), ['not_signed_in', 401]);
    const ada = await blank('ada');
    const errors = await ada.evaluate(async () => [
      await failure(auth.getComposerToken({ profile: 'nonsense' })),
      await failure(auth.getComposerToken({ profile: 'attention' })),
      await failure(auth.getAdminToken()),
    ]);
    assert.deepEqual(errors, [
      ['unknown_profile', 404],
      ['forbidden', 403],
      ['forbidden', 403],
    ]);
    assert.deepEqual(await sandbox.logins(), [], 'a refusal costs the platform nothing');
    assert.deepEqual(await sandbox.logins('admin'), []);
  });

  test('gives an admin token to whom its policy lets have one', async () => {
    const bo = await blank('bo');
    const token = await bo.evaluate(() => auth.getAdminToken());
    assert.match(token, /^eyJraWQiOi/);
    const logins = await sandbox.logins('admin');
    assert.deepEqual(
      logins.map(({ path }) => path),
      ['/api/admin/v6/login'],
    );
  });

  test('is asked once for 1 000 concurrent calls', async () => {
    const page = await blank('ada');
    let requests = 0;
    page.on('request', (request) => {
      if (request.url().includes('/qrvey/')) requests += 1;
    });
    const different = await page.evaluate(async () => {
      const calls = Array.from({ length: 1_000 }, () => auth.getComposerToken());
      return new Set(await Promise.all(calls)).size;
    });
    assert.deepEqual([different, requests], [1, 1]);
    assert.equal((await sandbox.journal()).mints.composer, 1);
  });

  test('mints nothing new for a second page, and something new for another user', async () => {
    const token = () => auth.getComposerToken();
    const first = await (await blank('ada')).evaluate(token);
    const second = await (await blank('ada')).evaluate(token);
    assert.equal(second, first);
    assert.equal((await sandbox.journal()).mints.composer, 1);
    const other = await (await blank('bo')).evaluate(token);
    assert.notEqual(other, first);
    assert.equal((await sandbox.journal()).mints.composer, 2);
  });

  test('mints anew when a refresh is forced', async () => {
    const page = await blank('ada');
    const tokens = await page.evaluate(async () => [
      await auth.getComposerToken(),
      await auth.getComposerToken({ forceRefresh: true }),
    ]);
    assert.notEqual(tokens[0], tokens[1]);
    assert.equal((await sandbox.journal()).mints.composer, 2);
  });

  test('a new token is had though a call that takes a held one is under way', async () => {
    const held = await (await blank('ada')).evaluate(() => auth.getComposerToken());
    const tokens = await (await blank('ada')).evaluate(() =>
      Promise.all([
        auth.getComposerToken(),
        auth.getComposerToken({ forceRefresh: true }),
        auth.getComposerToken({ forceRefresh: true }),
      ]),
    );
    assert.equal(tokens[0], held);
    assert.notEqual(tokens[1], held);
    assert.equal(tokens[1], tokens[2]);
    assert.equal((await sandbox.journal()).mints.composer, 2);
  });

  for (const [fault, status] of [
    [{ kind: 'status', status: 500 }, 502],
    [{ kind: 'html' }, 502],
    [{ kind: 'wrong_type' }, 502],
    [{ kind: 'redirect' }, 502],
    [{ kind: 'hang' }, 504],
  ]) {
    test(`says ${status} when the platform's login has the fault "${fault.kind}"`, async () => {
      await sandbox.control('POST', 'faults', { faults: [{ target: 'login', ...fault }] });
      const page = await blank('ada');
      const error = await page.evaluate(() => failure(auth.getComposerToken({ retries: 0 })));
      assert.deepEqual(error, ['upstream_unavailable', status]);
    });
  }
});

describe('what a browser may say', () => {
  /** A raw request to the relay with Ada's session; `change` alters it. */
  async function ask(change = {}) {
    const session = await fetch(`${sandbox.host}/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: sandbox.host },
      body: '{"user":"ada"}',
    });
    const cookie = session.headers.get('set-cookie').split(';')[0];
    const response = await fetch(`${sandbox.host}/qrvey/${change.path ?? 'composer-token'}`, {
      method: change.method ?? 'POST',
      headers: { cookie, 'content-type': 'application/json', ...change.headers },
      body: change.method === 'GET' ? undefined : (change.body ?? '{}'),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text && JSON.parse(text) };
  }

  test('is a profile, and nothing of it goes further', async () => {
    const { status, headers, body } = await ask({ body: '{"profile":"default"}' });
    assert.equal(status, 200);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.deepEqual(Object.keys(body).sort(), ['domain', 'expires_in', 'grant', 'token']);
    assert.equal(body.domain, sandbox.platform);
    assert.ok(body.expires_in > 590 && body.expires_in <= 600);
    const [login, ...more] = await sandbox.logins();
    assert.deepEqual(more, []);
    assert.deepEqual(login.secret_in, ['header:x-api-key']);
    assert.deepEqual(login.body, {
      userid: 'builder',
      appid: 'orders-app',
      clientid: 'ada',
      expiresIn: '10m',
      version: '2',
      permissions: [
        { dataset_id: '*', record_permissions: [{ security_name: 'tenant', values: ['aurora'] }] },
      ],
    });
    assert.ok(!login.header_names.includes('cookie'));
  });

  for (const [what, change, status, code] of [
    ['a foreign origin', { headers: { origin: 'https://evil.example' } }, 403, 'forbidden'],
    ['a foreign site', { headers: { 'sec-fetch-site': 'cross-site' } }, 403, 'forbidden'],
    ['text/plain', { headers: { 'content-type': 'text/plain' } }, 415, 'invalid_request'],
    ['a client id', { body: '{"profile":"default","clientid":"cleo"}' }, 400, 'invalid_request'],
    ['permissions', { body: '{"permissions":[]}' }, 400, 'invalid_request'],
    ['the same key twice', { body: '{"profile":"default","profile":"attention"}' }, 400, 'invalid_request'],
    ['no JSON', { body: '{"profile":' }, 400, 'invalid_request'],
    ['a megabyte', { body: `{"profile":"${'x'.repeat(1_000_000)}"}` }, 413, 'invalid_request'],
    ['GET', { method: 'GET' }, 405, 'invalid_request'],
    ['another path', { path: 'nonsense' }, 404, 'invalid_request'],
    [
      'a key for the admin token',
      { path: 'admin-token', body: '{"username":"root"}' },
      400,
      'invalid_request',
    ],
  ]) {
    test(`is not ${what}: ${status}`, async () => {
      const answer = await ask(change);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
      assert.equal(answer.body.code, code);
      assert.equal(answer.body.status, status);
      for (const member of ['type', 'title', 'detail', 'request_id']) {
        assert.ok(answer.body[member], `${member} is missing`);
      }
      assert.equal(answer.headers.get('access-control-allow-origin'), null);
      assert.deepEqual(await sandbox.logins(), []);
      assert.deepEqual(await sandbox.logins('admin'), []);
    });
  }
});
