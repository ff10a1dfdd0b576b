// Credentials and tokens, searched for everywhere they must not be.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useBrowser } from './support/browser.mjs';
import { useSandbox } from './support/sandbox.mjs';

const open = useBrowser();
const sandbox = useSandbox();

test('credentials stay on the server, tokens stay in memory', async () => {
  const page = await open();
  const seen = { console: [], urls: [], bodies: [] };
  const tokens = new Set();
  const tokenHeaders = new Set();
  page.on('console', (message) => seen.console.push(message.text()));
  page.on('request', (request) => {
    seen.urls.push(request.url());
    if (request.url().includes('/data/')) {
      for (const [name, value] of Object.entries(request.headers())) {
        if (value.includes('eyJraWQiOi')) tokenHeaders.add(name);
      }
    }
  });
  const reading = [];
  page.on('response', (response) => {
    reading.push(
      response.text().then(
        (body) => {
          const isToken = /\/qrvey\/(composer|admin)-token$/.test(response.url());
          if (isToken && response.ok()) tokens.add(JSON.parse(body).token);
          else seen.bodies.push(`${response.url()} ${JSON.stringify(response.headers())} ${body}`);
        },
        () => {},
      ),
    );
  });

  await page.goto(sandbox.host);
  await page.locator('#stage').getByText('Bo Halvorsen').first().click();
  await page.locator('qrvey-end-user tr[data-tenant]').first().waitFor();
  await page.evaluate(async () => {
    const { getAdminToken, getComposerToken } = await import('qrvey-auth');
    await getAdminToken();
    await getComposerToken({ forceRefresh: true });
    await getComposerToken({ profile: 'nonsense' }).catch(() => {});
  });
  await sandbox.control('POST', 'faults', { faults: [{ target: 'login', kind: 'status', status: 401 }] });
  await page.evaluate(async () => {
    const { createClient } = await import('qrvey-auth');
    await createClient({ profile: 'attention', retries: 0 })
      .getComposerToken()
      .catch(() => {});
  });
  await Promise.race([Promise.all(reading), new Promise((resolve) => setTimeout(resolve, 2_000))]);

  const state = await page.evaluate(async () => {
    const dom = [];
    const walk = (root) => {
      for (const element of root.querySelectorAll('*')) {
        for (const { name, value } of element.attributes) dom.push(`${name}=${value}`);
        if (element.shadowRoot) walk(element.shadowRoot);
      }
      dom.push(root.textContent ?? document.documentElement.textContent);
    };
    walk(document);
    return {
      dom: dom.join('\n'),
      storage: JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]),
      databases: (await indexedDB.databases()).length,
      caches: (await caches.keys()).length,
      // Every property of the window that was not there in a bare page and can be written as text.
      globals: JSON.stringify(Object.keys(globalThis).filter((key) => !key.startsWith('qrvey_'))),
    };
  });

  assert.equal(tokens.size, 3, 'composer, admin, and the forced one');
  const places = {
    ...state,
    console: seen.console.join('\n'),
    urls: seen.urls.join('\n'),
    bodies: seen.bodies.join('\n'),
    log: sandbox.log,
  };
  assert.ok(places.log.includes('composer-token'), 'the log was captured');
  assert.ok(places.bodies.includes('aurora'), 'bodies were captured');
  for (const secret of [...Object.values(sandbox.secrets), ...tokens]) {
    for (const [place, text] of Object.entries(places)) {
      assert.ok(!String(text).includes(secret), `${secret.slice(0, 12)}… is in ${place}`);
    }
  }
  assert.deepEqual([state.databases, state.caches], [0, 0]);
  assert.ok(tokenHeaders.size > 0, 'the widget sends its token in a header');
  for (const entry of (await sandbox.journal()).entries) {
    for (const place of [...entry.secret_in, ...entry.token_in]) {
      assert.match(place, /^(header:|body:(username|accessKey)$)/, `${entry.path}: ${place}`);
    }
  }
});
