// The ways in, each in a small application that is bundled as its developers would.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { installApps } from './support/apps.mjs';
import { useBrowser } from './support/browser.mjs';
import { openPage, usePlatform } from './support/platform.mjs';

const open = useBrowser();
const world = usePlatform();
const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/** One application as a single script; with the package as it is built, and the framework's own version. */
async function bundle(entry, modules, more) {
  const nodePaths = modules ? [path(`apps/${modules}/node_modules`)] : [];
  const { outputFiles } = await build({
    entryPoints: [path(`apps/${entry}`)],
    bundle: true,
    format: 'esm',
    write: false,
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"development"' },
    alias: {
      'qrvey-auth/react': path('../../dist/react.js'),
      'qrvey-auth/vue': path('../../dist/vue.js'),
      'qrvey-auth/element': path('../../dist/element.js'),
    },
    nodePaths,
    ...more,
  });
  return outputFiles[0].text;
}

before(installApps);

async function start(entry, modules) {
  const page = await openPage(open, world, null);
  page.problems.length = 0;
  await page.addScriptTag({ type: 'module', content: await bundle(entry, modules) });
  await page.waitForFunction(() => document.querySelector('#problem')?.textContent === 'invalid_options');
  await page.waitForFunction(() => document.querySelector('#ready').textContent !== '0');
  return page;
}

/** What the last widget was mounted with. */
const settings = (page) =>
  page.evaluate(() => {
    const { domain, ...settings } = mounted.at(-1).settings;
    return settings;
  });
const inPlace = (page) => page.locator('.place qrvey-end-user');

for (const version of ['react-18', 'react-19']) {
  describe(version, () => {
    test('in StrictMode: one widget, updated, kept through other renders, and gone when unmounted', async () => {
      const page = await start('react-app.jsx', version);
      assert.equal(await page.locator('#ready').textContent(), '1');
      assert.equal(await inPlace(page).count(), 1);
      await page.waitForFunction(() => document.querySelector('#hooked').textContent === 'there');
      assert.equal(await page.locator('qrvey-end-user').count(), 2);
      await page.evaluate(() => {
        document.querySelector('.place > *').isFirst = true;
        again(1);
      });
      await page.waitForTimeout(100);
      assert.equal(await inPlace(page).evaluate((element) => element.isFirst), true);
      await page.evaluate(() => setSettings({ theme: 'dark' }));
      await page.waitForFunction(() => mounted.at(-1).settings.theme === 'dark');
      assert.deepEqual(await settings(page), { theme: 'dark' });
      assert.equal(await inPlace(page).count(), 1);
      await page.evaluate(() => begin());
      await page.waitForTimeout(100);
      await page.evaluate(() => dispatchEvent(new CustomEvent('atApplyUserFilters')));
      assert.equal(await page.evaluate(() => heard), 'none', 'what is not shown hears nothing');
      await page.evaluate(() => show(false));
      await page.waitForFunction(() => document.querySelectorAll('qrvey-end-user').length === 1);
      await page.evaluate(() => show(true));
      await page.waitForFunction(() => document.querySelectorAll('qrvey-end-user').length === 2);
      assert.deepEqual(page.problems, []);
    });

    test('renders on a server', async () => {
      const script = await bundle('react-server.jsx', version, { platform: 'node', format: 'cjs' });
      const html = execFileSync(process.execPath, ['-'], { input: script, encoding: 'utf8' });
      assert.equal(html, '<div id="w"></div>\n');
    });
  });
}

describe('vue', () => {
  test('one widget, updated, and gone when unmounted', async () => {
    const page = await start('vue-app.js', 'vue');
    assert.equal(await inPlace(page).count(), 1);
    assert.deepEqual(await settings(page), { theme: 'light', density: 'compact' });
    await page.evaluate(() => {
      state.settings.theme = 'dark';
      delete state.settings.density;
    });
    await page.waitForFunction(() => mounted.at(-1).settings.theme === 'dark');
    assert.deepEqual(await settings(page), { theme: 'dark' });
    assert.equal(await page.locator('#ready').textContent(), '1');
    await page.evaluate(() => {
      state.shown = false;
    });
    await page.waitForFunction(() => document.querySelectorAll('qrvey-end-user').length === 0);
    assert.deepEqual(page.problems, []);
  });
});

describe('objects that hold the same', () => {
  for (const [entry, modules, renderAgain] of [
    ['react-app.jsx', 'react-19', () => again(1)],
    ['vue-app.js', 'vue', () => Object.assign(state, { round: 1 })],
    [
      'element-app.js',
      undefined,
      () => {
        const widget = document.querySelector('.place');
        widget.settings = { ...widget.settings };
        widget.options = undefined;
      },
    ],
  ]) {
    test(`change nothing, however often they are made: ${entry}`, async () => {
      const page = await start(entry, modules);
      const before = await page.evaluate(() => mounted.length);
      await page.evaluate(renderAgain);
      await page.waitForTimeout(300);
      assert.equal(await page.evaluate(() => mounted.length), before);
      assert.equal(await page.locator('#ready').textContent(), '1');
    });
  }

  test('nor does it crash a component that JSON cannot say them', async () => {
    const page = await openPage(open, world, null);
    await page.evaluate(() => {
      const circle = { big: 1n };
      circle.of = circle;
      globalThis.more = { settings: { circle, theme: 'light' } };
    });
    await page.addScriptTag({ type: 'module', content: await bundle('react-app.jsx', 'react-19') });
    await page.waitForFunction(() => document.querySelector('#ready')?.textContent === '1');
    await page.evaluate(() => {
      globalThis.more = { settings: { ...more.settings, theme: 'dark' } };
      again(1);
    });
    await page.waitForFunction(() => mounted.at(-1).settings.theme === 'dark');
  });
});

describe("a client's default signal", () => {
  for (const [entry, modules] of [
    ['react-app.jsx', 'react-19'],
    ['vue-app.js', 'vue'],
    ['element-app.js', undefined],
  ]) {
    test(`ends the widgets of components, too: ${entry}`, async () => {
      const page = await openPage(open, world, null);
      await page.evaluate(() => {
        globalThis.life = new AbortController();
        globalThis.more = { client: auth.createClient({ signal: life.signal }) };
      });
      await page.addScriptTag({ type: 'module', content: await bundle(entry, modules) });
      await page.waitForFunction(() => document.querySelector('#ready')?.textContent === '1');
      assert.equal(await inPlace(page).count(), 1);
      await page.evaluate(() => life.abort());
      assert.equal(await inPlace(page).count(), 0);
    });
  }
});

describe('settings that change before the widget stands', () => {
  for (const [entry, modules, change] of [
    ['react-app.jsx', 'react-19', () => setSettings({ theme: 'dark' })],
    ['vue-app.js', 'vue', () => Object.assign(state, { settings: { theme: 'dark' } })],
    [
      'element-app.js',
      undefined,
      () => Object.assign(document.querySelector('.place'), { settings: { theme: 'dark' } }),
    ],
  ]) {
    test(`are those that it ends up with: ${entry}`, async () => {
      const page = await openPage(open, world, null);
      const waiting = [];
      const asked = new Promise((resolve) => {
        world.relay = (_, response) => resolve(waiting.push(response));
      });
      await page.addScriptTag({ type: 'module', content: await bundle(entry, modules) });
      await asked;
      await page.evaluate(change);
      await page.waitForTimeout(300);
      world.minted.push(world.token(1));
      const body = JSON.stringify({ token: world.token(1), expires_in: 600, domain: world.platform });
      world.relay = (_, response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(body);
      for (const response of waiting) world.relay(undefined, response);
      await page.waitForFunction(() => globalThis.mounted?.some(({ settings }) => settings.theme === 'dark'));
      const shown = await page.evaluate(() => mounted.findLast(({ settings }) => settings.theme).settings);
      assert.deepEqual(shown, { theme: 'dark', domain: world.platform });
    });
  }
});

describe('settings that are refused', () => {
  for (const [entry, modules, change] of [
    ['react-app.jsx', 'react-19', (settings) => setSettings(settings)],
    ['vue-app.js', 'vue', (settings) => Object.assign(state, { settings })],
    [
      'element-app.js',
      undefined,
      (settings) => Object.assign(document.querySelector('.place'), { settings }),
    ],
  ]) {
    test(`leave nothing of themselves or of those before to the next: ${entry}`, async () => {
      const page = await start(entry, modules);
      await page.evaluate(change, { apiKey: 'x', theme: 'blue' });
      await page.waitForTimeout(200);
      await page.evaluate(change, { locale: 'de' });
      await page.waitForFunction(() => mounted.at(-1).settings.locale === 'de');
      assert.deepEqual(await settings(page), { locale: 'de' });
    });
  }
});

describe('element', () => {
  test('one widget, updated, moved, given another name, and gone when removed', async () => {
    const page = await start('element-app.js');
    assert.deepEqual(await settings(page), { theme: 'light', density: 'compact' });
    await page.evaluate(() => {
      document.querySelector('.place').settings = { theme: 'dark' };
    });
    await page.waitForFunction(() => mounted.at(-1).settings.theme === 'dark');
    assert.deepEqual(await settings(page), { theme: 'dark' });
    assert.equal(await inPlace(page).count(), 1);
    await page.evaluate(() => {
      const widget = document.querySelector('.place');
      document.body.append(widget);
    });
    await page.waitForTimeout(200);
    assert.equal(await inPlace(page).count(), 1);
    await page.evaluate(() => document.querySelector('.place').setAttribute('domain', platform));
    await page.waitForFunction(() => document.querySelector('#ready').textContent === '2');
    assert.equal(await inPlace(page).count(), 1);
    await page.evaluate(() => document.querySelector('.place').remove());
    await page.waitForFunction(() => document.querySelectorAll('qrvey-end-user').length === 0);
    assert.equal(
      await page.evaluate(() => `${fetch}`.includes('[native code]')),
      true,
      'and the page has its own functions back',
    );
    assert.deepEqual(page.problems, []);
  });

  test('hears also what its options listen to, whatever that throws, and new listeners take over', async () => {
    const page = await openPage(open, world, null);
    await page.evaluate(() => {
      globalThis.heard = [];
      const options = (name) => ({
        onReady() {
          heard.push(name);
          throw new Error('mine');
        },
        onRemounted: () => heard.push(name),
      });
      globalThis.options = options;
      globalThis.more = { options: options('one') };
    });
    await page.addScriptTag({ type: 'module', content: await bundle('element-app.js') });
    await page.waitForFunction(() => document.querySelector('#ready')?.textContent === '1');
    await page.evaluate(() => {
      const widget = document.querySelector('.place');
      widget.options = options('two');
      widget.settings = { theme: 'dark' };
    });
    await page.waitForFunction(() => heard.length === 2);
    assert.deepEqual(await page.evaluate(() => heard), ['one', 'two']);
    assert.equal(await page.locator('#ready').textContent(), '1');
  });

  test('a copy of it has a widget of its own, and none of the one that was copied', async () => {
    const page = await start('element-app.js');
    await page.evaluate(() => {
      const widget = document.querySelector('.place');
      const copy = widget.cloneNode(true);
      widget.replaceWith(copy);
      copy.addEventListener('ready', () => {
        globalThis.isReady = true;
      });
    });
    await page.waitForFunction(() => globalThis.isReady);
    assert.equal(await inPlace(page).count(), 1);
  });

  test('says what is wrong with its attributes, and recovers when they are mended', async () => {
    const page = await start('element-app.js');
    const outcome = await page.evaluate(async () => {
      const element = document.createElement('qrvey-widget');
      const heard = (type) =>
        new Promise((resolve) => element.addEventListener(type, resolve, { once: true }));
      const failed = heard('error');
      element.setAttribute('widget', 'dashboard-view');
      element.setAttribute('settings', '{theme: dark}');
      document.body.append(element);
      const { error, message } = await failed;
      const ready = heard('ready');
      element.setAttribute('settings', '{"theme": "dark"}');
      await ready;
      const { theme } = mounted.at(-1).settings;
      element.remove();
      return [error.name, error.code, message, theme];
    });
    assert.deepEqual(outcome, [
      'QrveyAuthError',
      'invalid_options',
      'the attribute "settings" is no JSON',
      'dark',
    ]);
  });

  test('importing it where there is no page does nothing', async () => {
    const names = await import('../../dist/element.js');
    assert.deepEqual(Object.keys(names), []);
  });
});
