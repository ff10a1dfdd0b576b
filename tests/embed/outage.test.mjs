// In real time, with every widget on the page and something to lose in each: a minute offline, half a
// minute without the relay, a night's sleep. They wait side by side, so that they cost little more than a minute.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '../e2e/support/until.mjs';
import { useBrowser } from './support/browser.mjs';
import { lineTo } from './support/line.mjs';
import { setOffline, startStage } from './support/page.mjs';
import { NAMES, play } from './support/plays.mjs';

const NIGHT_MS = 8 * 3_600_000;
const seconds = (count) => new Promise((resolve) => setTimeout(resolve, count * 1_000));

const open = useBrowser({ keepsPages: true });
const stages = [];
after(() => {
  for (const { sandbox } of stages) sandbox.stop();
});

/** A page of its own platform with all widgets that have a token, each in use; and what became of them. */
async function everything({ expiresIn, cutsLine, prepare } = {}) {
  const stage = await startStage(open, ...(expiresIn ? ['--expires-in', expiresIn] : []));
  stages.push(stage);
  const line = cutsLine ? await lineTo(stage.sandbox.host) : undefined;
  const page = await stage.page('ada', { prepare, host: line?.url });
  const plays = [];
  for (const name of NAMES) plays.push(await play(page, name));
  await page.evaluate(() => {
    globalThis.isOriginal = true;
  });
  return {
    stage,
    page,
    line,
    async assertUnchanged() {
      for (const { assertKept } of plays) await assertKept();
    },
    /** Each widget is used, and every one of them is as it was. */
    async assertRecovered({ mints }) {
      for (const { act } of plays) await act();
      for (const { assertKept } of plays) await assertKept({ hasActed: true });
      assert.equal(await page.evaluate(() => isOriginal), true, 'without a reload');
      assert.deepEqual(await page.evaluate(() => told.filter(([, type]) => type === 'remounted')), []);
      assert.equal(await stage.mints(), mints, 'one mint');
      assert.deepEqual(page.violations, []);
    },
  };
}

/** What is told to every widget is told to the first. */
const isTold = (type) => `told.some((one) => one[0] === 'dashboard' && one[1] === '${type}')`;

/** The page's clocks, to be set by `sleep`. */
function withClocks() {
  let wallMs = 0;
  let monotonicMs = 0;
  const { now: realNow } = Date;
  const { now } = Performance.prototype;
  const wallNow = () => realNow() + wallMs;
  globalThis.Date = class extends Date {
    constructor(...given) {
      super(...(given.length > 0 ? given : [wallNow()]));
    }
    static now = wallNow;
  };
  Performance.prototype.now = function () {
    return now.call(this) + monotonicMs;
  };
  /** Some machines' monotonic clocks stand still in sleep, others go on. */
  globalThis.sleep = (ms, goesOn) => {
    wallMs += ms;
    if (goesOn) monotonicMs += ms;
  };
}

const OUTAGES = {
  /** The token ends meanwhile: nobody can renew it. */
  async 'a minute offline'() {
    const { page, stage, ...all } = await everything({ expiresIn: '50s' });
    await setOffline(page, true);
    // On a slow machine the token may have been renewed before.
    const mints = await stage.mints();
    await page.evaluate(() => told.splice(0));
    const view = page.locator('#automation');
    await view.locator('[data-action=save]').click();
    await view.locator('[part=frame][data-state=unreachable]').waitFor();
    await seconds(60);
    assert.equal(await page.evaluate(isTold('failed')), true);
    assert.equal(await page.evaluate(isTold('expired')), true);
    assert.equal(await page.evaluate(isTold('renewed')), false);
    await all.assertUnchanged();
    await setOffline(page, false);
    await until(page, isTold('renewed'));
    await all.assertRecovered({ mints: mints + 1 });
  },

  /** Nothing tells the page that it is over: it has to try. */
  async 'the relay down for thirty seconds'() {
    const { page, stage, line, ...all } = await everything({ cutsLine: true });
    line.cut();
    await stage.revoke();
    const view = page.locator('#automation');
    await view.locator('[data-action=save]').click();
    await view.locator('[part=frame][data-state=expired]').waitFor();
    await seconds(30);
    assert.deepEqual(
      await page.evaluate(() => [
        ...new Set(told.filter(([, type]) => type === 'failed').map(([, , code]) => code)),
      ]),
      ['relay_unreachable'],
    );
    await all.assertUnchanged();
    await line.mend();
    await until(page, isTold('renewed'), 60_000);
    await all.assertRecovered({ mints: 2 });
    line.cut();
  },

  async 'asleep for eight hours, and seen again'() {
    const { page, stage, ...all } = await everything({ prepare: withClocks });
    await stage.sandbox.control('POST', 'clock', { advance_ms: NIGHT_MS });
    await page.evaluate(`sleep(${NIGHT_MS}, true); document.dispatchEvent(new Event('visibilitychange'))`);
    await all.assertUnchanged();
    await all.assertRecovered({ mints: 2 });
  },

  /** A monotonic clock that stood still, and no event: the first to notice is a widget's own request. */
  async 'asleep for eight hours, and used at once'() {
    const { page, stage, ...all } = await everything({ prepare: withClocks });
    await stage.sandbox.control('POST', 'clock', { advance_ms: NIGHT_MS });
    await page.evaluate(`sleep(${NIGHT_MS}, false)`);
    await all.assertRecovered({ mints: 2 });
  },
};

describe('every widget is as it was, with one mint, after', () => {
  const outcomes = new Map();
  before(() => {
    for (const [name, happens] of Object.entries(OUTAGES)) {
      const outcome = happens();
      // Told by its own test.
      outcome.catch(() => {});
      outcomes.set(name, outcome);
    }
  });
  for (const name of Object.keys(OUTAGES)) test(name, () => outcomes.get(name));
});
