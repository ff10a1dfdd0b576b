// The whole way in bad weather that is over in seconds; what takes its time is in `outage.test.mjs`.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../e2e/support/until.mjs';
import { embed, isSame, tenantsIn, useStage } from './support/page.mjs';

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

describe('bad weather', () => {
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
    await until(page, () => told.some(([, type]) => type === 'renewed'), 60_000);
    await use(page, widget, 2);
    await assertKept(page, widget);
  });

  test('remount: the widget is replaced, the page does not jump, the rows are back', async () => {
    const page = await stage.page('ada');
    await embed(page, { ...VIEW, renew: 'remount' });
    const widget = await viewed(page);
    const height = () => page.locator('#dashboard-view').evaluate((element) => element.offsetHeight);
    const before = await height();
    await stage.revoke();
    await widget.locator('select[data-filter=region]').first().selectOption({ index: 1 });
    await until(page, () => told.some(([, type]) => type === 'remounted'));
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
