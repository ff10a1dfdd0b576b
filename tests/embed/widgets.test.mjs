// Each of the eleven widgets: drawn for its tenant, and carried over the end of its token.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../e2e/support/until.mjs';
import { embed, tenantsIn, useStage } from './support/page.mjs';
import { NAMES, PLAYS, play } from './support/plays.mjs';

const stage = useStage();

/** Those with an export that takes its time. */
const EXPORTING = ['dashboard-view', 'analytic-suite', 'pixel-perfect-report'];

/** How the page has asked the platform. */
const waysOf = (page) =>
  page.evaluate(() => {
    const entries = performance.getEntriesByType('resource');
    const asked = entries.filter(({ name }) => /\/(data|forms)\/v1\//.test(name));
    return [...new Set(asked.map(({ initiatorType }) => initiatorType))].sort();
  });

describe('every widget goes on when the platform ends its token', () => {
  for (const name of NAMES) {
    test(name, async () => {
      const page = await stage.page('ada');
      const { act, assertKept } = await play(page, name, { domain: stage.sandbox.platform });
      assert.equal(await stage.mints(), 1);
      await stage.revoke();
      await assertKept();
      await act();
      assert.equal(await stage.mints(), 2, 'one mint');
      await assertKept({ hasActed: true });
      // Some have nothing to fetch before they export.
      if (!EXPORTING.includes(name)) assert.deepEqual(await waysOf(page), ['fetch', 'xmlhttprequest']);
      assert.deepEqual(await page.evaluate(() => told), [[name, 'renewed', '']]);
      assert.deepEqual(page.violations, []);
    });
  }

  test('but the web form, which has none', async () => {
    const page = await stage.page('ada');
    const { settings, text } = PLAYS['web-form'];
    await embed(page, { widget: 'web-form', settings, domain: stage.sandbox.platform });
    const field = page.locator(`#web-form ${text}`);
    await field.fill('half a sen');
    await stage.revoke();
    assert.equal(await field.inputValue(), 'half a sen');
    await page.evaluate(() => {
      const root = widgets['web-form'].element.shadowRoot;
      for (const input of root.querySelectorAll('input')) {
        if (input.type === 'radio') input.checked = true;
        else input.value = input.type === 'email' ? 'ada@aurora.example' : 'Ada';
      }
      root.querySelector('[data-action=send]').click();
    });
    await page.locator('#web-form [data-reference]').waitFor();
    assert.deepEqual(await waysOf(page), ['fetch', 'xmlhttprequest']);
    assert.equal(await stage.mints(), 0);
    assert.deepEqual(page.violations, []);
  });

  for (const name of EXPORTING) {
    test(`a running export of ${name} goes on`, async () => {
      const page = await stage.page('ada');
      const { widget, act, assertKept } = await play(page, name, {}, { isIdle: true });
      await page.evaluate((name) => {
        const { element } = widgets[name];
        const strip = element.shadowRoot.querySelector('[data-export]');
        const note = () => told.push([name, strip.dataset.export, strip.dataset.rows ?? '']);
        new MutationObserver(note).observe(strip, { attributeFilter: ['data-export'] });
      }, name);
      await widget.locator('[data-action=export]').first().click();
      await until(page, () => told.some(([, type]) => type === 'running'));
      await stage.revoke();
      await act();
      await until(page, () => told.some(([, type]) => type === 'done'));
      const happened = await page.evaluate(() => told.map(([, type]) => type));
      assert.deepEqual([...new Set(happened)], ['running', 'renewed', 'done']);
      assert.deepEqual(await waysOf(page), ['fetch', 'xmlhttprequest']);
      await assertKept({ hasActed: true });
      assert.equal(await stage.mints(), 2);
    });
  }
});

describe('many widgets', () => {
  test('ten on a page, all tokens revoked: one mint', async () => {
    const page = await stage.page('ada');
    const plays = [];
    for (const name of NAMES) plays.push(await play(page, name));
    assert.equal(await stage.mints(), 1);
    await stage.revoke();
    // All at once, as far as a page can.
    await Promise.all(plays.map(({ act }) => act()));
    assert.equal(await stage.mints(), 2);
    for (const { assertKept } of plays) await assertKept({ hasActed: true });
    const told = await page.evaluate(() => told.map(([, type]) => type));
    assert.deepEqual(told, Array(10).fill('renewed'));
    assert.deepEqual(page.violations, []);
  });

  test('of two tenants on one page never mix', async () => {
    const page = await stage.page('ada');
    await embed(page, { widget: 'dashboard-view' }, 'aurora');
    await page.evaluate(async () => {
      const headers = { 'content-type': 'application/json' };
      await fetch('/session', { method: 'POST', headers, body: '{"user":"cleo"}' });
      const client = auth.createClient({ headers: { 'x-tenant': 'basalt' } });
      const container = document.createElement('div');
      container.id = 'basalt';
      document.querySelector('#place').append(container);
      widgets.basalt = await client.embed({ widget: 'dashboard-view', container });
      globalThis.other = client;
    });
    assert.deepEqual(await tenantsIn(page.locator('#aurora')), ['aurora']);
    assert.deepEqual(await tenantsIn(page.locator('#basalt')), ['basalt']);
    await page.evaluate(async () => {
      await widgets.basalt.renew();
      await other.getComposerToken({ forceRefresh: true });
    });
    for (const name of ['aurora', 'basalt']) {
      const widget = page.locator(`#${name}`);
      await widget.locator('select[data-filter=region]').first().selectOption({ index: 1 });
      await widget.locator('[part=frame][data-state=ready]').waitFor();
      await page.waitForTimeout(300);
      assert.deepEqual(await tenantsIn(widget), [name]);
    }
    assert.deepEqual(page.violations, []);
  });
});
