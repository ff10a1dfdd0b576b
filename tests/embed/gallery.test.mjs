// The demo page: what a visitor sees and does, on any screen; and its listings, built and run.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { useBrowser } from '../e2e/support/browser.mjs';
import { startSandbox, useSandbox } from '../e2e/support/sandbox.mjs';
import { until } from '../e2e/support/until.mjs';
import { installApps } from './support/apps.mjs';
import { listingsFolder } from './support/listings.mjs';
import { tenantsIn } from './support/page.mjs';

const open = useBrowser();
const sandbox = useSandbox();
before(installApps);

const TAGS = {
  dashboard: 'qrvey-dashboard',
  'dashboard-builder': 'qrvey-builders',
  'dashboard-view': 'qrvey-end-user',
  'analytic-suite': 'an-dashboard',
  'single-panel': 'an-panel',
  'pixel-perfect-report': 'qrvey-pixel-builder',
  automation: 'qrvey-workflow-design',
  'download-manager': 'qrvey-download-manager',
  'web-form-design': 'qrvey-design-widgets',
  'web-form': 'qrvey-webform-enduser',
  'sidekick-ai': 'qrvey-ai-mcp-client',
};

/** The demo page, with Ada signed in. */
async function visit(options, query = '') {
  const page = await open(undefined, options);
  const answer = await page.context().request.post(`${sandbox.host}/session`, { data: { user: 'ada' } });
  assert.ok(answer.ok());
  await page.goto(sandbox.host + query);
  return page;
}

/** What axe-core finds, and what sticks out of the page. */
async function faults(page) {
  if (await page.evaluate(() => globalThis.axe === undefined)) {
    const axe = new URL('apps/gallery/node_modules/axe-core/axe.min.js', import.meta.url);
    await page.addScriptTag({ content: await readFile(axe, 'utf8') });
  }
  return page.evaluate(async () => {
    const { violations } = await axe.run();
    const tooWide = document.documentElement.scrollWidth - innerWidth;
    const right = (selector) => document.querySelector(selector).getBoundingClientRect().right;
    return [
      ...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`),
      ...(tooWide > 0 ? [`${tooWide} px too wide`] : []),
      ...(right('#widget-tabs [aria-selected=true]') > right('.rail') ? ['the chosen tab is cut off'] : []),
    ];
  });
}

const status = (page) => page.locator('#stage-status').textContent();

describe('the gallery', () => {
  test('shows each widget live with nothing for axe-core to find, and keeps the choice over a reload', async () => {
    // What is still fading in has no contrast to judge.
    const page = await visit({ reducedMotion: 'reduce' });
    for (const [name, tag] of Object.entries(TAGS)) {
      await page.locator(`#tab-${name}`).click();
      await page.locator(`${tag} [part=frame][data-state=ready]`).waitFor();
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await faults(page), [], `${name}, ${colorScheme}`);
      }
    }
    await page.locator('#tab-single-panel').click();
    await page.locator('#tab-code').click();
    await page.locator('#tab-react').click();
    await page.goto(`${page.url()}#server`);
    await page.reload();
    await page.locator('an-panel').waitFor({ state: 'attached' });
    assert.equal(await page.locator('#tab-react').getAttribute('aria-selected'), 'true');
    assert.match(await page.locator('#code-page').textContent(), /qrvey-auth\/react/);
    const address = new URL(page.url());
    assert.deepEqual(
      [...address.searchParams],
      [
        ['widget', 'single-panel'],
        ['view', 'code'],
        ['way', 'react'],
      ],
    );
    await page.goto(`${sandbox.host}/?widget=nonsense&view=nonsense&way=nonsense`);
    await page.locator('qrvey-end-user').waitFor();
  });

  test('expires all tokens while a filter is set and a text half typed, and shows that nobody noticed', async () => {
    const page = await visit();
    const widget = page.locator('qrvey-end-user');
    await widget.locator('[data-input=remark]').fill('half a sen');
    await widget.locator('select[data-filter=region]').selectOption({ index: 1 });
    await page.locator('#revoke').click();
    await page.locator('#timeline').getByText('All tokens expired').waitFor();
    await widget.locator('select[data-filter=segment]').selectOption({ index: 1 });
    await page.locator('#timeline').getByText('Renewed, and nobody noticed').waitFor();
    assert.match(await status(page), /nobody noticed/);
    assert.equal(await widget.locator('[data-input=remark]').inputValue(), 'half a sen');
    await until(page, () => document.querySelector('#mints-count').textContent === '2');
    assert.match(await page.locator('#token-next').textContent(), /^Next renewal in about 8 min/);
  });

  test('shows all that by itself to whoever only watches', async () => {
    const page = await open(sandbox.host);
    await page.locator('#show-me').click();
    await page.locator('#timeline').getByText('Renewed, and nobody noticed').waitFor();
    const widget = page.locator('qrvey-end-user');
    assert.match(await widget.locator('[data-input=remark]').inputValue(), /bec$/);
    assert.equal(await widget.locator('select[data-filter=region]').inputValue(), 'Nordics');
    assert.match(await status(page), /nobody noticed/);
    await page.locator('#show-me[aria-disabled=false]').waitFor();
  });

  test('goes offline and carries on', async () => {
    const page = await visit();
    const widget = page.locator('qrvey-end-user');
    await widget.locator('[data-input=remark]').fill('half a sen');
    await page.context().setOffline(true);
    await widget.locator('select[data-filter=region]').selectOption({ index: 1 });
    await widget.locator('[part=frame][data-state=unreachable]').waitFor();
    assert.match(await status(page), /offline/);
    await page.context().setOffline(false);
    await widget.locator('[part=frame][data-state=ready]').waitFor();
    assert.equal(await widget.locator('[data-input=remark]').inputValue(), 'half a sen');
    assert.deepEqual(await tenantsIn(widget), ['aurora']);
  });

  test('says when a renewal that failed is tried again, and that it succeeded', async () => {
    const page = await visit();
    const widget = page.locator('qrvey-end-user');
    await widget.locator('tr[data-tenant]').first().waitFor();
    await page.locator('#cut').click();
    await page.locator('#cut[aria-pressed=true]').waitFor();
    await sandbox.control('POST', 'revoke');
    await sandbox.control('POST', 'faults', { faults: [{ target: 'login', kind: 'status', status: 503 }] });
    await widget.locator('select[data-filter=region]').selectOption({ index: 1 });
    await until(page, () => /^Next try in|^Trying/.test(document.querySelector('#token-next').textContent));
    await page.locator('#cut').click();
    await page.locator('#cut[aria-pressed=false]').waitFor();
    await until(page, () => /^Next renewal/.test(document.querySelector('#token-next').textContent), 60_000);
  });

  test('shows a report as large as there is room for, and what an answer counts', async () => {
    const page = await visit({ viewport: { width: 1440, height: 900 } }, '/?widget=pixel-perfect-report');
    await page.locator('qrvey-pixel-builder tr[data-tenant]').first().waitFor();
    assert.equal(await page.locator('qrvey-pixel-builder [data-input=zoom]').inputValue(), '1');
    await page.locator('#tab-sidekick-ai').click();
    const sidekick = page.locator('qrvey-ai-mcp-client');
    await sidekick.getByRole('button', { name: 'hours on tickets' }).click();
    await sidekick.locator('[data-answer=done] .mark').first().waitFor();
    assert.doesNotMatch(await sidekick.locator('[data-answer=done]').textContent(), /€/);
    await sidekick.locator('[data-input=question]').fill('w'.repeat(300));
    await sidekick.locator('[data-action=ask]').click();
    await sidekick.locator('.asked').nth(1).waitFor();
    const tooWide = await sidekick.locator('.talk').evaluate((talk) => talk.scrollWidth - talk.clientWidth);
    assert.equal(tooWide, 0, 'a long word is broken');
  });

  test('cancels no request of its own while it comes up', async () => {
    const page = await visit({}, '/?widget=automation');
    await page.locator('qrvey-workflow-design [part=frame][data-state=ready]').waitFor();
    await page.locator('.track [data-tone=good]').first().waitFor();
    assert.equal(await page.locator('.track [data-tone=bad]').count(), 0);
  });

  test('draws columns with their height, however much room they have', async () => {
    const page = await visit({ reducedMotion: 'reduce' });
    const fills = page.locator('qrvey-end-user .columns .fill');
    await fills.first().waitFor();
    for (const width of [360, 560, 640, 720, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      const tallest = await fills.evaluateAll((all) => Math.max(...all.map((fill) => fill.offsetHeight)));
      assert.ok(tallest > 100, `${tallest} px at ${width}`);
    }
  });

  test('keeps the focus in the widget when a button goes with what it removed', async () => {
    const page = await visit();
    for (const name of ['dashboard-builder', 'download-manager', 'web-form-design']) {
      await page.locator(`#tab-${name}`).click();
      const widget = page.locator(TAGS[name]);
      const remove = widget.getByRole('button', { name: /^Remove/ });
      await remove.nth(1).waitFor();
      const count = await remove.count();
      await remove.first().press('Enter');
      await remove.nth(count - 1).waitFor({ state: 'detached' });
      const hasFocus = await widget.evaluate(({ shadowRoot }) => shadowRoot.activeElement !== null);
      assert.ok(hasFocus, name);
    }
  });

  test('takes the token of a form’s design under its own key only, and says which that is', async () => {
    const page = await visit({}, '/?widget=web-form-design');
    await page.locator('qrvey-design-widgets [data-state=ready]').waitFor();
    await page.evaluate(() => {
      globalThis.design = {
        domain: location.origin,
        qvToken: 'x',
        app_id: 'a',
        user_id: 'u',
        qrvey_id: 'q',
        app_type: 't',
      };
      document.body.innerHTML = '<qrvey-design-widgets settings="design"></qrvey-design-widgets>';
    });
    await page.locator('qrvey-design-widgets').getByText('The configuration has no qv_token.').waitFor();
  });

  test('applies settings that the module has checked', async () => {
    const page = await visit({}, '/?widget=single-panel&view=settings');
    await page.locator('#stage[data-state=ready]').waitFor();
    await page.locator('#settings-variants').getByText('An API key').click();
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.locator('#settings-error').getByText('invalid_options').waitFor();
    await page.locator('#settings-variants').getByText('Metric').click();
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.locator('an-panel .metric-value').waitFor();
  });
});

describe('on every screen', () => {
  for (const width of [360, 768, 1440]) {
    for (const colorScheme of ['light', 'dark']) {
      test(`${width} px, ${colorScheme}: axe-core finds nothing, and nothing sticks out`, async () => {
        const page = await open(sandbox.host, {
          viewport: { width, height: 800 },
          colorScheme,
          reducedMotion: 'reduce',
        });
        const look = async (what) => assert.deepEqual(await faults(page), [], what);
        await page.locator('#sign-in-ada').waitFor();
        await look('signed out');
        await page.locator('#sign-in-ada').click();
        const widget = page.locator('qrvey-end-user');
        await widget.locator('tr[data-tenant]').first().waitFor();
        await page.locator('#revoke').click();
        await page.locator('#timeline').getByText('All tokens expired').waitFor();
        await widget.locator('select[data-filter=region]').selectOption({ index: 1 });
        await page.locator('#timeline').getByText('Renewed').waitFor();
        await page.waitForTimeout(300);
        await look('live');
        for (const tab of ['code', 'settings', 'try', 'break']) {
          await page.locator(`#tab-${tab}`).click();
          await look(tab);
        }
      });
    }
  }
});

describe('the listings of the gallery, as they stand', () => {
  let folder;
  let platform;
  before(async () => {
    folder = await listingsFolder();
    platform = await startSandbox('--www', folder.dist);
  });
  after(async () => {
    platform?.stop();
    await folder?.remove();
  });

  /** Every listing on the page, by way and widget. */
  async function listings() {
    const page = await open(sandbox.host);
    await page.locator('#tab-code').click();
    const found = { plain: {}, react: {}, vue: {}, element: {} };
    for (const name of Object.keys(TAGS)) {
      await page.locator(`#tab-${name}`).click();
      for (const way of Object.keys(found)) {
        await page.locator(`#tab-${way}`).click();
        const text = await page.locator('#code-page').textContent();
        assert.ok(text.includes(name), `${way} ${name}`);
        found[way][name] = text.replaceAll('https://acme.qrvey.example', platform.platform);
      }
    }
    await page.locator('#tab-token').click();
    return { ...found, token: [await page.locator('#code-page').textContent()] };
  }

  async function run(way) {
    const page = await open();
    await page.context().request.post(`${platform.host}/session`, { data: { user: 'ada' } });
    await page.goto(`${platform.host}/${way}.html`);
    return page;
  }

  test('are built', async () => folder.build(await listings()));

  for (const way of ['plain', 'react', 'vue', 'element']) {
    test(`${way}: every widget is drawn`, async () => {
      const page = await run(way);
      for (const [name, tag] of Object.entries(TAGS)) {
        const widget = page.locator(tag);
        await widget.locator('[part=frame][data-state=ready]').waitFor();
        assert.equal(await widget.count(), 1, name);
        if (name === 'web-form') await widget.locator('[data-input=remarks]').waitFor();
        else if (name !== 'download-manager') assert.deepEqual(await tenantsIn(widget), ['aurora'], name);
      }
      assert.deepEqual(page.problems, []);
    });
  }

  test('token only', async () => {
    const page = await run('token');
    await until(page, () => globalThis.client?.length > 0);
    assert.deepEqual(page.problems, []);
  });
});
