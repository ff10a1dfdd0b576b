// What people install: the packed tarball in small real applications, built and run. Each application is
// configured with what its tool cannot do without, and with nothing for the sake of this package.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pack, source, tool, WITH_WIDGETS } from './support/apps.mjs';
import { useBrowser } from './support/browser.mjs';
import { originOf } from './support/origin.mjs';
import { run, serve } from './support/program.mjs';
import { goesOn, platform, signIn } from './support/widgets.mjs';

const { open, visit } = useBrowser();
let packed;
let failed = false;
const installed = new Map();

before(async () => {
  packed = await pack();
});
after(async () => {
  if (failed) console.error(`the applications are left in ${packed.tarball.replace(/[^/]*$/, '')}`);
  else await packed?.remove();
});

/** The application's folder with its packages, installed once for all tests that use it. */
function app(...names) {
  const key = names.join();
  if (!installed.has(key)) installed.set(key, packed.install(...names));
  return installed.get(key);
}

/** A test with a time limit, whose application stays for inspection if it fails. */
const consumer = (name, body) =>
  test(name, { timeout: 240_000 }, (t) =>
    body(t).catch((error) => {
      failed = true;
      throw error;
    }),
  );

/** The digest of the WebAssembly module as the package carries it, learnt by running it in Node. */
let reference;
async function digest() {
  reference ??= (async () => {
    const { compile } = WebAssembly;
    let seen;
    WebAssembly.compile = (bytes) => {
      seen = createHash('sha256').update(bytes).digest('hex');
      return compile.call(WebAssembly, bytes);
    };
    const { getComposerToken } = await import(packed.module);
    // A port that no `fetch` may use: the module is started, and nothing is sent.
    await getComposerToken({ relay: 'http://127.0.0.1:9', retries: 0 }).catch(() => undefined);
    WebAssembly.compile = compile;
    assert.ok(seen, 'the package starts a WebAssembly module');
    return seen;
  })();
  return reference;
}

/** The page at `path` shows the one token that the relay gave, and nothing went wrong on the way. */
async function showsToken(origin, path = '/', { worker = false } = {}) {
  const { text, problems, digests } = await visit(origin.url + path);
  assert.deepEqual(problems, []);
  assert.equal(origin.tokens.length, 1, 'two calls make one request');
  assert.ok(text.includes(origin.tokens[0]), text);
  // A page cannot look into its worker.
  if (!worker) assert.deepEqual(digests, [await digest()], 'the instance is what the package carries');
  return text;
}

/** The widgets of the page at `path` are drawn, and go on when their token is over. */
async function showsWidgets(t, place, path, count) {
  const sandbox = await platform(t);
  const origin = await originOf(t, place, sandbox);
  const page = await open(t);
  await signIn(page, origin);
  await page.goto(origin.url + path);
  await goesOn(page, sandbox, count);
  // The browser's own word for the refusals that nobody else noticed.
  assert.deepEqual(
    page.problems.filter((problem) => !problem.includes('status of 401')),
    [],
  );
  return page;
}

/** What the declarations say can be imported, types left out. */
async function declared() {
  const declarations = await readFile(packed.module.replace(/\.js$/, '.d.ts'), 'utf8');
  const found = (pattern) => Array.from(declarations.matchAll(pattern), ([, names]) => names.split(/,\s*/));
  const here = found(/^export (?:function|class|const) (\w+)/gm);
  const elsewhere = found(/^export \{\s*([^}]*?),?\s*\} from/gm);
  return [...new Set([...here, ...elsewhere].flat())].filter((name) => !name.startsWith('type ')).sort();
}

const onPort = (script) => (port) => ['run', script, '--', '--port', String(port)];
const vite = (script) => (port) => [...onPort(script)(port), '--strictPort', '--host', '127.0.0.1'];

describe('in a browser', { concurrency: 2 }, () => {
  // The slowest first, so that no core waits for one of them at the end.
  consumer('next, rendered on the server and live in the page', async (t) => {
    const folder = await app('next');
    await run(folder, 'npm', 'run', 'build');
    const server = await serve(t, folder, 'npm', onPort('start'));
    assert.equal(await (await fetch(`${server}/code`)).json(), 'unsupported_environment');
    const text = await showsToken(await originOf(t, server));
    assert.ok(text.includes('on the server it is a function'), text);
    const html = await (await fetch(`${server}/widgets`)).text();
    assert.ok(html.includes('<div id="orders"></div>'), 'the component is rendered on the server');
    await showsWidgets(t, server, '/widgets', 1);
  });

  for (const [script, output, zone] of [
    ['build', 'build', 'zone.js'],
    ['build:zoneless', 'build-zoneless', 'no zone.js'],
  ]) {
    consumer(`angular with ${zone}`, async (t) => {
      const folder = await app('angular');
      await run(folder, 'npm', 'run', script);
      const built = join(folder, output);
      await showsToken(await originOf(t, built), '/index.html');
      const page = await showsWidgets(t, built, '/index.html#orders', 1);
      assert.equal(await page.evaluate(() => 'Zone' in globalThis), zone === 'zone.js');
      await page.getByText('1 renewals').waitFor();
      await page.locator('body[data-stable=true]').waitFor();
    });
  }

  consumer('the component that the documentation shows is the one of the Angular application', async () => {
    const documentation = await readFile(source('docs/embed.md'), 'utf8');
    const component = await readFile(source('tests/consumers/apps/angular/src/orders.ts'), 'utf8');
    assert.ok(documentation.includes(component));
  });

  consumer('parcel', async (t) => {
    const folder = await app('parcel');
    await run(folder, 'npm', 'run', 'build');
    await showsToken(await originOf(t, join(folder, 'build')), '/index.html');
  });

  consumer('plain HTML with an import map', async (t) => {
    await showsToken(await originOf(t, await app('plain-html')), '/import-map.html');
  });

  consumer('plain HTML with the one file', async (t) => {
    const origin = await originOf(t, await app('plain-html'));
    await showsToken(origin, '/one-file.html');
    assert.deepEqual(origin.paths, ['/one-file.html', '/node_modules/qrvey-auth/dist/index.js']);
  });

  consumer('a module Worker from plain files', async (t) => {
    await showsToken(await originOf(t, await app('plain-html')), '/worker.html', { worker: true });
  });

  for (const version of ['8.3.8', '7.3.8']) {
    consumer(`Vite ${version}, development server`, async (t) => {
      const folder = await app('vite', `vite@${version}`);
      const server = await serve(t, folder, 'npm', vite('dev'));
      await showsToken(await originOf(t, server));
      await showsWidgets(t, server, '/widgets.html', 3);
    });

    consumer(`Vite ${version}, build and preview`, async (t) => {
      const folder = await app('vite', `vite@${version}`);
      await run(folder, 'npm', 'run', 'build');
      const server = await serve(t, folder, 'npm', vite('preview'));
      await showsToken(await originOf(t, server));
      await showsWidgets(t, server, '/widgets.html', 3);
    });
  }

  consumer('a module Worker through Vite, development server', async (t) => {
    const folder = await app('vite-worker');
    const origin = await originOf(t, await serve(t, folder, 'npm', vite('dev')));
    await showsToken(origin, '/', { worker: true });
  });

  consumer('a module Worker through Vite, build and preview', async (t) => {
    const folder = await app('vite-worker');
    await run(folder, 'npm', 'run', 'build');
    const origin = await originOf(t, await serve(t, folder, 'npm', vite('preview')));
    await showsToken(origin, '/', { worker: true });
  });

  for (const name of WITH_WIDGETS.filter((name) => name !== 'vite')) {
    consumer(`${name}, with the element, React and Vue`, async (t) => {
      const folder = await app(name);
      await run(folder, 'npm', 'run', 'build:widgets');
      const isPage = name === 'parcel';
      await showsWidgets(t, isPage ? join(folder, 'build') : folder, '/widgets.html', 3);
    });
  }

  for (const name of ['webpack', 'rollup', 'esbuild']) {
    consumer(name, async (t) => {
      const folder = await app(name);
      await run(folder, 'npm', 'run', 'build');
      await showsToken(await originOf(t, folder), '/index.html');
    });
  }
});

describe('in Node', { concurrency: 2 }, () => {
  const node = async (...given) => JSON.parse(await run(await app('node'), process.execPath, ...given));

  consumer('an import does nothing', async () => {
    const { exports, used, added, active, before } = await node('import.mjs');
    assert.deepEqual({ exports, used, added }, { exports: await declared(), used: [], added: [] });
    assert.deepEqual(active, before, 'nothing keeps the process');
  });

  consumer('a relay with its full URL gives the token, and no timer is left', async (t) => {
    const origin = await originOf(t, await app('node'));
    const { token, timers } = await node('ask.mjs', `${origin.url}/qrvey`);
    assert.deepEqual([token], origin.tokens);
    assert.equal(timers, 0, 'no timer keeps the process');
  });

  consumer('a path has no page to start from', async () => {
    const { code, message } = await node('ask.mjs', '/qrvey');
    assert.equal(code, 'unsupported_environment', message);
  });

  consumer('require() works where Node can require ES modules, and says so elsewhere', async () => {
    const outcome = await node('require.cjs');
    const works = process.features.require_module;
    assert.deepEqual(outcome, works ? { exports: await declared() } : { code: 'ERR_REQUIRE_ESM' });
  });
});

describe('for tools', { concurrency: 2 }, () => {
  consumer('publint finds nothing', async () => {
    await run('.', tool('publint'), packed.tarball, '--strict');
  });

  consumer('are the types wrong? No: ES module only', async () => {
    await run('.', tool('attw'), packed.tarball, '--profile', 'esm-only');
  });

  for (const resolution of ['bundler', 'nodenext']) {
    consumer(`strict types, moduleResolution ${resolution}`, async () => {
      const folder = await app('types');
      await copyFile(source('tests/types/index.ts'), join(folder, `${resolution}.ts`));
      await copyFile(source('tests/types/expect.ts'), join(folder, 'expect.ts'));
      const older = join(folder, 'node_modules/.bin/tsc');
      for (const tsc of [older, tool('tsc')]) await run(folder, tsc, '--project', `${resolution}.json`);
    });
  }
});
