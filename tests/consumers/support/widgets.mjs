// Applications with widgets, on the stand-in platform.

import assert from 'node:assert/strict';
import { startSandbox } from '../../e2e/support/sandbox.mjs';

const TEXT = 'half a sen';

/** Starts a platform with a relay, until the test ends. */
export async function platform(t) {
  const sandbox = await startSandbox();
  t.after(sandbox.stop);
  return sandbox;
}

/** Signs Ada in, in the browser of this page. */
export async function signIn(page, origin) {
  const answer = await page.context().request.post(`${origin.url}/session`, { data: { user: 'ada' } });
  assert.ok(answer.ok());
}

/**
 * So many dashboards are drawn with rows of the user's tenant; all tokens are ended; each widget goes on as
 * it was, for one new token.
 */
export async function goesOn(page, sandbox, count) {
  const all = page.locator('qrvey-end-user');
  const widgets = Array.from({ length: count }, (_, place) => all.nth(place));
  for (const widget of widgets) {
    await widget.locator('tr[data-tenant="aurora"]').first().waitFor();
    await widget.locator('[data-input=remark]').fill(TEXT);
    await widget.evaluate((element) => {
      element.isFirst = true;
    });
  }
  assert.equal(await all.count(), count);
  assert.equal((await sandbox.journal()).mints.composer, 1);
  await sandbox.control('POST', 'revoke');
  for (const widget of widgets) {
    const answered = page.waitForResponse(
      (answer) =>
        answer.url().endsWith('/data/v1/query') && answer.request().method() === 'POST' && answer.ok(),
    );
    await widget.locator('select[data-filter=region]').selectOption({ index: 1 });
    await answered;
    await widget.locator('[part=frame][data-state=ready]').waitFor();
    assert.equal(await widget.locator('[data-input=remark]').inputValue(), TEXT);
    assert.equal(await widget.evaluate(({ isFirst }) => isFirst), true, 'the same element');
  }
  assert.equal((await sandbox.journal()).mints.composer, 2);
}
