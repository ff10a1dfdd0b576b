// Others who put themselves around `fetch` and `XMLHttpRequest`: before, after, and at the end.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { installApps } from './support/apps.mjs';
import { useBrowser } from './support/browser.mjs';
import { openPage, usePlatform } from './support/platform.mjs';

const open = useBrowser();
const world = usePlatform();
before(installApps);

const ZONE = new URL('apps/zone/node_modules/zone.js/bundles/zone.umd.js', import.meta.url);

/** What error trackers do: note each request, and hand it on. */
function withTracker() {
  globalThis.noted = [];
  globalThis.track = () => {
    const { fetch } = globalThis;
    globalThis.fetch = function (...args) {
      const answer = fetch.apply(this, args);
      answer.then(({ status }) => noted.push(`fetch ${status}`));
      return answer;
    };
    const { open, send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.open = function (...args) {
      const { onreadystatechange } = this;
      this.onreadystatechange = function (...event) {
        if (this.readyState === 4) noted.push(`xhr ${this.status}`);
        return onreadystatechange?.apply(this, event);
      };
      return open.apply(this, args);
    };
    XMLHttpRequest.prototype.send = function (...args) {
      return send.apply(this, args);
    };
  };
}

function withRequests() {
  globalThis.byFetch = async () => {
    const answer = await fetch(`${platform}/data`, { headers: { 'x-qv-token': mounted[0].token } });
    return answer.status;
  };
  globalThis.byXhr = () =>
    new Promise((resolve) => {
      const xhr = new XMLHttpRequest();
      xhr.open('GET', `${platform}/data`);
      xhr.setRequestHeader('authorization', `Bearer ${mounted[0].token}`);
      xhr.onload = () => resolve(xhr.status);
      xhr.send();
    });
  globalThis.natives = () => [
    fetch,

    ...['open', 'setRequestHeader', 'send', 'abort', 'addEventListener'].map(
      (name) => XMLHttpRequest.prototype[name],
    ),
    Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, 'upload').get,
    XMLHttpRequestUpload.prototype.addEventListener,
  ];
  globalThis.untouched = natives();
  globalThis.areUntouched = () => natives().map((now, place) => now === untouched[place]);
}

const both = (page) => page.evaluate(async () => [await byFetch(), await byXhr()]);

describe('the page gets its own functions back', () => {
  test('when the last widget goes, and not before', async () => {
    const page = await openPage(open, world, null, withRequests);
    const [during, still, after] = await page.evaluate(async () => {
      const one = await put();
      const two = await put();
      const during = areUntouched();
      one.destroy();
      const still = areUntouched();
      two.destroy();
      return [during, still, areUntouched()];
    });
    assert.ok(!during.includes(true));
    assert.deepEqual(still, during);
    assert.ok(!after.includes(false));
  });

  test('unless somebody wrapped on top: then ours passes on, and works again for the next widget', async () => {
    const page = await openPage(open, world, null, `(${withTracker})(); (${withRequests})();`);
    await page.evaluate(async () => {
      globalThis.widget = await put();
      track();
      globalThis.tracked = fetch;
      widget.destroy();
      globalThis.isStill = fetch === tracked;
    });
    assert.equal(await page.evaluate(() => isStill), true);
    world.revoke();
    assert.deepEqual(await both(page), [401, 401], 'with no widget nothing is renewed');
    await page.evaluate(async () => {
      globalThis.widget = await put();
    });
    world.revoke();
    const minted = world.minted.length;
    assert.deepEqual(
      await page.evaluate(async () => {
        mounted[0] = mounted.at(-1);
        return [await byFetch(), await byXhr()];
      }),
      [200, 200],
    );
    assert.equal(world.minted.length, minted + 1);
    await page.evaluate(() => widget.destroy());
    assert.equal(await page.evaluate(() => fetch === tracked), true);
  });

  for (const order of ['in the order they came', 'the other way round', 'in turn']) {
    test(`however often two copies of the package come and go, ${order}`, async () => {
      const page = await openPage(open, world, null, withRequests);
      const left = await page.evaluate(async (order) => {
        const copy = await import('/copy/dist/index.js');
        const left = [];
        let last = await put({}, copy);
        for (let round = 0; round < 3; round += 1) {
          const one = await put();
          const other = await put({}, copy);
          // In turn, there is always a widget of one or the other.
          if (order === 'in turn') last.destroy();
          const [first, second] = order === 'the other way round' ? [other, one] : [one, other];
          first.destroy();
          if (order !== 'in turn') {
            second.destroy();
            last.destroy();
          }
          last = second;
          left.push(areUntouched().includes(false));
        }
        last.destroy();
        return [...left, areUntouched().includes(false)];
      }, order);
      assert.deepEqual(left, [...Array(3).fill(order === 'in turn'), false]);
    });
  }

  test('with a widget of another copy on the page both renew, beneath and on top', async () => {
    const page = await openPage(open, world, null, withRequests);
    await page.evaluate(async () => {
      const copy = await import('/copy/dist/index.js');
      const gone = await put();
      await put({}, copy);
      gone.destroy();
      // This one's copy was beneath the other's, and is on top now.
      await put();
    });
    for (const place of [1, 2]) {
      world.accepts = (token) => !world.minted.slice(0, revoked).includes(token);
      const revoked = world.minted.length;
      const statuses = await page.evaluate(async (place) => {
        mounted[0] = mounted[place];
        return [await byFetch(), await byXhr()];
      }, place);
      assert.deepEqual(statuses, [200, 200]);
      assert.equal(world.minted.length, revoked + 1);
    }
  });

  test('once who wrapped on top has gone as well, and a further embed adds no layer meanwhile', async () => {
    const page = await openPage(open, world, null, withRequests);
    const [isOneLayer, left] = await page.evaluate(async () => {
      const left = [];
      let isOneLayer = true;
      for (let round = 0; round < 3; round += 1) {
        const one = await put();
        const { fetch: ours } = globalThis;
        const theirs = (...args) => ours(...args);
        globalThis.fetch = theirs;
        const other = await put();
        isOneLayer &&= fetch === theirs;
        one.destroy();
        other.destroy();
        globalThis.fetch = ours;
        (await put()).destroy();
        left.push(areUntouched().includes(false));
      }
      return [isOneLayer, left];
    });
    assert.equal(isOneLayer, true);
    assert.deepEqual(left, [false, false, false]);
  });

  test('no renewal is turned on where it is off', async () => {
    const page = await openPage(open, world, null, withRequests);
    for (const renew of ['remount', 'off']) {
      assert.ok(
        !(
          await page.evaluate(async (renew) => {
            await put({ renew });
            return areUntouched();
          }, renew)
        ).includes(false),
      );
    }
  });
});

describe('neighbours', () => {
  for (const order of ['before', 'after']) {
    test(`an error tracker installed ${order} sees each request end once, and well`, async () => {
      const page = await openPage(open, world, null, `(${withTracker})(); (${withRequests})();`);
      await page.evaluate(async (order) => {
        if (order === 'before') track();
        globalThis.widget = await put();
        if (order === 'after') track();
      }, order);
      world.revoke();
      assert.deepEqual(await both(page), [200, 200]);
      const noted = await page.evaluate(() => noted);
      assert.deepEqual(
        noted.filter((note) => note.startsWith('xhr')),
        ['xhr 200'],
      );
      // Beneath ours a tracker sees the refusal, as it should.
      const fetches = noted.filter((note) => note === 'fetch 401');
      assert.equal(fetches.length, order === 'before' ? 1 : 0);
      assert.equal(world.minted.length, 2);
    });

    test(`zone.js installed ${order}: in its zone, and every task ends`, async () => {
      const zone = await readFile(ZONE, 'utf8');
      const page = await openPage(open, world, null, withRequests);
      if (order === 'before') await page.addScriptTag({ content: zone });
      await page.evaluate(async () => {
        globalThis.widget = await put();
      });
      if (order === 'after') await page.addScriptTag({ content: zone });
      world.revoke();
      const outcome = await page.evaluate(async () => {
        const pending = { macroTask: 0 };
        const zone = Zone.current.fork({
          name: 'app',
          onHasTask(delegate, current, target, state) {
            delegate.hasTask(target, state);
            if (current === target && state.change === 'macroTask') pending.macroTask = state.macroTask;
          },
        });
        return new Promise((resolve) => {
          zone.run(() => {
            fetch(`${platform}/data`, { headers: { 'x-qv-token': mounted[0].token } }).then(({ status }) => {
              const inZone = Zone.current.name;
              const xhr = new XMLHttpRequest();
              xhr.open('GET', `${platform}/data`);
              xhr.setRequestHeader('x-qv-token', mounted[0].token);
              xhr.onload = () => {
                const result = [status, inZone, xhr.status, Zone.current.name];
                Zone.root.run(() => setTimeout(() => resolve([...result, pending.macroTask]), 300));
              };
              xhr.send();
            });
          });
        });
      });
      assert.deepEqual(outcome, [200, 'app', 200, 'app', false]);
      assert.equal(world.minted.length, 2);
    });

    test(`zone.js installed ${order}: a replayed XMLHttpRequest is one task that ends`, async () => {
      const zone = await readFile(ZONE, 'utf8');
      const page = await openPage(open, world, null, withRequests);
      if (order === 'before') await page.addScriptTag({ content: zone });
      await page.evaluate(async () => {
        globalThis.widget = await put();
      });
      if (order === 'after') await page.addScriptTag({ content: zone });
      world.revoke();
      const tasks = await page.evaluate(async () => {
        const tasks = [];
        const zone = Zone.current.fork({
          name: 'app',
          onScheduleTask(delegate, _, target, task) {
            if (task.source.startsWith('XMLHttpRequest.send')) tasks.push('begun');
            return delegate.scheduleTask(target, task);
          },
          onInvokeTask(delegate, _, target, task, self, args) {
            if (task.source.startsWith('XMLHttpRequest.send')) tasks.push('ended');
            return delegate.invokeTask(target, task, self, args);
          },
        });
        return new Promise((resolve) => {
          zone.run(() => {
            const xhr = new XMLHttpRequest();
            xhr.open('GET', `${platform}/data`);
            xhr.setRequestHeader('x-qv-token', mounted[0].token);
            xhr.onload = () => Zone.root.run(() => setTimeout(() => resolve([...tasks, xhr.status]), 300));
            xhr.send();
          });
        });
      });
      assert.deepEqual(tasks, ['begun', 'ended', 200]);
    });
  }
});
