// The whole way in bad weather: relay, platform and network fail and come back, and nothing is reloaded.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { embed, isSame, tenantsIn, useStage } from './support/page.mjs';
import { PLAYS } from './support/plays.mjs';

const stage = useStage();
const VIEW = { widget: 'dashboard-view' };

async function viewed(page) {
  const widget = page.locator('#dashboard-view');
  await widget.locator('tr[data-tenant]').first().waitFor();
  await widget.locator('[data-input=remark]').fill('half a sen');
  return widget;
}

/** Chooses something that asks the platform, until the widget shows that it has answered. */
async function use(page, widget, index = 1) {
  const answered = page.waitForResponse(
    (answer) =>
      answer.url().includes('/data/v1/query') && answer.request().method() === 'POST' && answer.ok(),
  );
  await widget.locator('select[data-filter=region]').first().selectOption({ index });
  await answered;
  await widget.locator('[part=frame][data-state=ready]').waitFor();
}

async function assertKept(page, widget) {
  assert.ok(await isSame(page, 'dashboard-view'));
  assert.equal(await widget.locator('[data-input=remark]').inputValue(), 'half a sen');
  assert.deepEqual(await tenantsIn(widget), ['aurora']);
  assert.deepEqual(page.violations, []);
}

describe('many widgets', () => {
  test('ten on a page, all tokens revoked: one mint', async () => {
    const page = await stage.page('ada');
    const names = Object.keys(PLAYS).filter((name) => !PLAYS[name].needsNoToken);
    await Promise.all(names.map((name) => embed(page, { widget: name, settings: PLAYS[name].settings })));
    for (const name of names) {
      await page.locator(`[id="${name}"] [part=frame][data-state=ready]`).waitFor();
    }
    assert.equal(await stage.mints(), 1);
    await stage.revoke();
    await page.evaluate(() => {
      for (const { element } of Object.values(widgets)) {
        const root = element.shadowRoot;
        root.querySelector('select[data-filter=region], button.mark')?.click();
        const select = root.querySelector('select[data-filter=region]');
        if (select) {
          select.selectedIndex = 1;
          select.dispatchEvent(new Event('change', { bubbles: true }));
        }
        root.querySelector('[data-action=next], [data-action=save], [data-action=start]')?.click();
      }
    });
    await page.waitForTimeout(1500);
    assert.equal(await stage.mints(), 2);
    for (const name of names) assert.ok(await isSame(page, name), name);
    const told = await page.evaluate(() => told.map(([, type]) => type));
    assert.deepEqual(told, Array(10).fill('renewed'));
  });

  test('of two tenants on one page never mix', async () => {
    const page = await stage.page('ada');
    await embed(page, VIEW, 'aurora');
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
      await page.locator(`#${name} select[data-filter=region]`).first().selectOption({ index: 1 });
      await page.locator(`#${name} [part=frame][data-state=ready]`).waitFor();
      await page.waitForTimeout(300);
      assert.deepEqual(await tenantsIn(page.locator(`#${name}`)), [name]);
    }
  });
});

describe('bad weather', () => {
  test('offline for a while, and the token over when it ends', async () => {
    const page = await stage.page('ada');
    await embed(page, VIEW);
    const widget = await viewed(page);
    await page.context().setOffline(true);
    await widget.locator('select[data-filter=region]').first().selectOption({ index: 1 });
    await widget.locator('[part=frame][data-state=unreachable]').waitFor();
    await stage.revoke();
    await page.waitForTimeout(1000);
    await page.context().setOffline(false);
    await widget.locator('[part=frame][data-state=ready]').waitFor();
    await use(page, widget, 2);
    await assertKept(page, widget);
    assert.equal(await stage.mints(), 2);
  });

  test('the relay down for a while: the widget stays, and the next request is good', async () => {
    const page = await stage.page('ada');
    await embed(page, VIEW);
    const widget = await viewed(page);
    await page.route('**/qrvey/composer-token', (route) => route.abort('connectionrefused'));
    await stage.revoke();
    await widget.locator('select[data-filter=region]').first().selectOption({ index: 1 });
    await widget.locator('[part=frame][data-state=expired]').waitFor();
    assert.ok(await isSame(page, 'dashboard-view'));
    assert.deepEqual(await page.evaluate(() => told[0]), ['dashboard-view', 'failed', 'relay_unreachable']);
    await page.unroute('**/qrvey/composer-token');
    await page.waitForFunction(() => told.some(([, type]) => type === 'renewed'));
    await use(page, widget, 2);
    await assertKept(page, widget);
  });

  test('a platform whose logins fail for a while', async () => {
    const page = await stage.page('ada');
    await embed(page, VIEW);
    const widget = await viewed(page);
    await stage.sandbox.control('POST', 'faults', {
      faults: [{ target: 'login', kind: 'status', status: 503 }],
    });
    await stage.revoke();
    await widget.locator('select[data-filter=region]').first().selectOption({ index: 1 });
    await widget.locator('[part=frame][data-state=expired]').waitFor();
    await stage.sandbox.control('POST', 'faults', { faults: [] });
    await page.waitForFunction(() => told.some(([, type]) => type === 'renewed'), undefined, {
      timeout: 60_000,
    });
    await use(page, widget, 2);
    await assertKept(page, widget);
  });

  test('asleep for eight hours', async () => {
    const page = await stage.page('ada', { clock: true });
    await embed(page, VIEW);
    const widget = await viewed(page);
    await stage.sandbox.control('POST', 'clock', { advance_ms: 8 * 3_600_000 });
    await page.clock.setSystemTime(Date.now() + 8 * 3_600_000);
    const asked = page.waitForRequest('**/qrvey/composer-token');
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await asked;
    // The relay has not slept and believes in the token that it holds; the platform does not.
    await use(page, widget);
    await assertKept(page, widget);
    assert.equal(await stage.mints(), 2);
  });

  test('remount: the widget is replaced, the page does not jump, the rows are back', async () => {
    const page = await stage.page('ada');
    await embed(page, { ...VIEW, renew: 'remount' });
    const widget = await viewed(page);
    const height = () => page.locator('#dashboard-view').evaluate((element) => element.offsetHeight);
    const before = await height();
    await stage.revoke();
    await widget.locator('select[data-filter=region]').first().selectOption({ index: 1 });
    await page.waitForFunction(() => told.some(([, type]) => type === 'remounted'));
    assert.ok((await height()) >= before);
    assert.equal(await isSame(page, 'dashboard-view'), false);
    await widget.locator('[part=frame][data-state=ready]').waitFor();
    assert.deepEqual(await tenantsIn(widget), ['aurora']);
    assert.equal(await stage.mints(), 2);
  });
});

describe('a strict page', () => {
  test("works under require-trusted-types-for 'script' with the policy qrvey-auth", async () => {
    const page = await stage.page('ada', { file: 'trusted-types.html' });
    await embed(page, VIEW);
    assert.deepEqual(await tenantsIn(page.locator('#dashboard-view')), ['aurora']);
    const ours = page.violations.filter((violation) => !violation.includes('stand-in'));
    assert.deepEqual(ours, []);
  });
});

describe('tokens that live for seconds', () => {
  const brief = useStage('--expires-in', '4s');
  test('are renewed ahead of their end, unnoticed', async () => {
    const page = await brief.page('ada');
    await embed(page, VIEW);
    const widget = await viewed(page);
    for (let n = 1; n < 5; n += 1) {
      await page.waitForTimeout(2000);
      await use(page, widget, (n % 2) + 1);
    }
    await assertKept(page, widget);
    const { entries } = await brief.sandbox.journal();
    assert.ok(
      !entries.some(({ target, status }) => target === 'data' && status === 401),
      'no request was refused',
    );
    assert.ok((await brief.mints()) >= 3);
  });
});
