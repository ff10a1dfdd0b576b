// The module against a plain client of the same features, interleaved in one Chromium, medians of 30.
//
//   node bench/module/run.mjs            (after `npm run build`)

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { brotliCompressSync } from 'node:zlib';
import { chromium } from 'playwright-core';

const ROUNDS = Number(process.env.ROUNDS ?? 30);
const DELAY_MS = 40;
const AUTH0 = '../../node_modules/@auth0/auth0-spa-js/dist/auth0-spa-js.production.esm.js';

const files = new Map(
  await Promise.all(
    [
      ['/module.js', new URL('../../dist/index.js', import.meta.url)],
      ['/plain.js', new URL('plain.js', import.meta.url)],
      ['/auth0.js', new URL(AUTH0, import.meta.url)],
    ].map(async ([path, file]) => [path, brotliCompressSync(await readFile(file))]),
  ),
);

let requests = 0;
const server = createServer((request, response) => {
  const answer = () => {
    const path = request.url.split('?')[0];
    if (path === '/qrvey/composer-token') {
      requests += 1;
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end('{"token":"eyJraWQiOiJzIn0.a.b.c.d","expires_in":3600}');
    } else if (files.has(path)) {
      response.writeHead(200, {
        'content-type': 'text/javascript',
        'content-encoding': 'br',
        'cache-control': 'no-store',
      });
      response.end(files.get(path));
    } else {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>bench</title>');
    }
  };
  if (request.method === 'POST' || files.has(request.url.split('?')[0])) setTimeout(answer, DELAY_MS);
  else answer();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://localhost:${server.address().port}/`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--js-flags=--expose-gc',
  ],
});

async function inPage(run, argument) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  const result = await page.evaluate(run, argument);
  await context.close();
  return result;
}

const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
const print = (what, ours, theirs, unit, aim) => {
  const ratio = median(ours) / median(theirs);
  const spread = (all) =>
    `${all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.1)].toFixed(2)}…${all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.9)].toFixed(2)}`;
  console.log(
    `${what.padEnd(44)} ${median(ours).toFixed(3).padStart(10)} ${median(theirs).toFixed(3).padStart(10)} ${unit.padEnd(4)} ratio ${ratio.toFixed(3)} (aim ${aim})   [${spread(ours)} | ${spread(theirs)}]`,
  );
};

/** From nothing to the first token: import, start, ask. */
const cold = (path) =>
  inPage(async (path) => {
    const start = performance.now();
    const { getComposerToken } = await import(path);
    await getComposerToken();
    return performance.now() - start;
  }, path);

/** 1 000 calls at once, in a page where the module has been started, or has not. */
const together = (path, isStarted) =>
  inPage(
    async ([path, isStarted]) => {
      const { getComposerToken } = await import(path);
      // Starts the module and asks for nothing.
      if (isStarted && path === '/module.js')
        await getComposerToken({ signal: AbortSignal.abort() }).catch(() => {});
      const start = performance.now();
      await Promise.all(Array.from({ length: 1_000 }, () => getComposerToken()));
      return performance.now() - start;
    },
    [path, isStarted],
  );

/** Microseconds for a call that is answered from memory, each awaited. */
const cached = (path) =>
  inPage(async (path) => {
    const { getComposerToken } = await import(path);
    await getComposerToken();
    const calls = 20_000;
    for (let i = 0; i < 2_000; i++) await getComposerToken();
    const start = performance.now();
    for (let i = 0; i < calls; i++) await getComposerToken();
    return ((performance.now() - start) * 1_000) / calls;
  }, path);

/** The same for auth0-spa-js: its token in memory, put there as its own cache would hold it. */
const cachedAuth0 = () =>
  inPage(async () => {
    const { Auth0Client, InMemoryCache } = await import('/auth0.js');
    const cache = new InMemoryCache().enclosedCache;
    const client = new Auth0Client({ domain: 'tenant.example', clientId: 'c', cache });
    const now = Math.floor(Date.now() / 1_000);
    const user = { sub: 'u' };
    await client.cacheManager.setIdToken?.('c', 'x', { user, claims: {} });
    await client.cacheManager.set({
      client_id: 'c',
      audience: 'default',
      scope: 'openid profile email',
      access_token: 'eyJraWQiOiJzIn0.a.b.c.d',
      expires_in: 3_600,
      id_token: 'x',
      decodedToken: { user, claims: { exp: now + 3_600 } },
    });
    const calls = 5_000;
    for (let i = 0; i < 500; i++) await client.getTokenSilently();
    const start = performance.now();
    for (let i = 0; i < calls; i++) await client.getTokenSilently();
    return ((performance.now() - start) * 1_000) / calls;
  });

const results = { cold: [[], []], together: [[], []], togetherCold: [[], []], cached: [[], []], auth0: [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, run] of [
    ['cold', cold],
    ['together', (path) => together(path, true)],
    ['togetherCold', (path) => together(path, false)],
    ['cached', cached],
  ]) {
    const order = round % 2 ? ['/module.js', '/plain.js'] : ['/plain.js', '/module.js'];
    for (const path of order) {
      const before = requests;
      results[name][path === '/module.js' ? 0 : 1].push(await run(path));
      if (requests - before !== 1) throw new Error(`${path}: ${requests - before} requests`);
    }
  }
  results.auth0.push(await cachedAuth0());
  process.stderr.write('.');
}
process.stderr.write('\n');
console.log(`${ROUNDS} rounds, interleaved; medians, and [10 %…90 %]`);
console.log(''.padEnd(44), 'module'.padStart(10), 'other'.padStart(10));
print(`cold first token, ${DELAY_MS} ms network, to plain`, ...results.cold, 'ms', '≤ 1.25');
print('1 000 concurrent calls, to plain', ...results.together, 'ms', '≤ 1.5');
print('the same, starting the module', ...results.togetherCold, 'ms', 'none');
print('cached call, to auth0-spa-js', results.cached[0], results.auth0, 'µs', '≤ 1.0');
print('cached call, to plain', ...results.cached, 'µs', 'none');
console.log(
  `cached calls in one page: ${Math.round(1e6 / median(results.cached[0])).toLocaleString('en')} a second (aim ≥ 500,000)`,
);
await browser.close();
server.close();
