// Each of the eleven widgets: drawn for its tenant, and carried over the end of its token.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { embed, isSame, tenantsIn, useStage } from './support/page.mjs';
import { PLAYS } from './support/plays.mjs';

const stage = useStage();
const TEXT = 'half a sen';

describe('every widget goes on when the platform ends its token', () => {
  for (const [name, play] of Object.entries(PLAYS)) {
    test(name, async () => {
      const page = await stage.page('ada');
      const { settings, options } = play;
      await embed(page, { widget: name, settings, domain: stage.sandbox.platform, ...options });
      const widget = page.locator(`[id="${name}"]`);
      if (play.shows) {
        assert.equal(await widget.locator('.tag').first().textContent(), play.shows);
      }
      if (play.needsNoToken) {
        await widget.locator(play.text).fill(TEXT);
        assert.equal(await stage.mints(), 0, 'a web form asks for no token');
        return;
      }
      if (!play.isEmpty) assert.deepEqual(await tenantsIn(widget), ['aurora']);
      await play.begin?.(widget);
      if (play.text) await widget.locator(play.text).first().fill(TEXT);
      const kept = play.kept && (await widget.locator(play.kept).first().inputValue());
      await widget.locator('[part=frame][data-state=ready]').waitFor();
      assert.equal(await stage.mints(), 1);

      await stage.revoke();
      const answered = page.waitForResponse(
        (answer) => answer.url().includes('/data/') && answer.request().method() !== 'OPTIONS' && answer.ok(),
      );
      await play.act(widget);
      await answered;
      await widget.locator('[part=frame][data-state=ready]').waitFor();

      assert.equal(await stage.mints(), 2, 'one mint');
      assert.ok(await isSame(page, name), 'the element is the same');
      if (play.text && !play.sends) {
        const text = widget.locator(play.text).first();
        assert.equal(await text.evaluate((element) => element.value ?? element.textContent), TEXT);
      }
      if (kept) assert.equal(await widget.locator(play.kept).first().inputValue(), kept);
      assert.deepEqual(await tenantsIn(widget), ['aurora']);
      assert.deepEqual(await page.evaluate(() => told), [[name, 'renewed', '']]);
      assert.deepEqual(page.violations, []);
    });
  }
});
