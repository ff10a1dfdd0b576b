// From options to nothing left: loading, mounting anew, and going.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { useBrowser } from './support/browser.mjs';
import { openPage, usePlatform } from './support/platform.mjs';

const open = useBrowser();
const world = usePlatform();
const launchers = () => world.requests.filter(({ path }) => path.endsWith('.js'));

/** Counts timers that are set and neither fired nor cleared. */
function withTimers() {
  const running = new Set();
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  globalThis.setTimeout = (action, ...rest) => {
    const id = setTimeout(
      (...args) => {
        running.delete(id);
        return action(...args);
      },
      ...rest,
    );
    running.add(id);
    return id;
  };
  globalThis.clearTimeout = (id) => {
    running.delete(id);
    clearTimeout(id);
  };
  globalThis.setInterval = (...args) => {
    const id = setInterval(...args);
    running.add(id);
    return id;
  };
  globalThis.clearInterval = (id) => {
    running.delete(id);
    clearInterval(id);
  };
  globalThis.timers = () => running.size;
}

/** The listeners of what a widget could listen to, which only Chromium's own protocol can list. */
async function listenersIn(page) {
  if (!page.context) return [];
  const session = await page.context().newCDPSession(page);
  const listeners = [];
  for (const expression of ['window', 'document', 'document.body', 'document.querySelector("#place")']) {
    const { result } = await session.send('Runtime.evaluate', { expression });
    const found = await session.send('DOMDebugger.getEventListeners', { objectId: result.objectId });
    listeners.push(...found.listeners.map(({ type }) => `${expression} ${type}`));
  }
  await session.detach();
  return listeners.sort();
}

/** All that a widget could leave behind. */
async function inventory(page) {
  const rest = await page.evaluate(() => ({
    globals: Object.getOwnPropertyNames(globalThis).filter((name) => name.startsWith('qrvey')),
    elements: document.querySelectorAll('*:not(script)').length,
    attributes: [...document.querySelectorAll('main, body, html')].flatMap((element) =>
      element.getAttributeNames(),
    ),
    timers: timers(),
    patched: [fetch, XMLHttpRequest.prototype.send].filter((method) => !`${method}`.includes('[native code]'))
      .length,
  }));
  return { ...rest, listeners: await listenersIn(page) };
}

describe('destroy', () => {
  for (const renew of ['seamless', 'remount', 'off']) {
    test(`leaves nothing after ${renew}`, async () => {
      const page = await openPage(open, world, null, withTimers);
      await page.evaluate(async (renew) => (await put({ renew })).destroy(), renew);
      const before = await inventory(page);
      await page.evaluate(async (renew) => {
        globalThis.held = await Promise.all([put({ renew }), put({ renew }), put({ renew })]);
        await Promise.all(held.map((widget) => widget.renew()));
        await held[0].update({ theme: 'dark' });
      }, renew);
      const during = await inventory(page);
      assert.equal(during.globals.length, 3);
      assert.equal(during.patched, renew === 'seamless' ? 2 : 0);
      await page.evaluate(() => {
        for (const widget of held) widget.destroy();
      });
      await page.waitForTimeout(50);
      assert.deepEqual(await inventory(page), before);
      assert.deepEqual(before.globals, []);
      assert.equal(before.timers, 0);
      assert.equal(before.patched, 0);
    });
  }

  test('ends what is under way, and embed rejects with the reason of its signal', async () => {
    const page = await openPage(open, world, null, withTimers);
    world.relay = () => {};
    const outcome = await page.evaluate(async () => {
      const reason = { mine: true };
      const controller = new AbortController();
      const embedding = put({ signal: controller.signal });
      setTimeout(() => controller.abort(reason), 300);
      const isOwn = await embedding.catch((error) => error === reason);
      const early = await put({ signal: AbortSignal.abort(reason) }).catch((error) => error === reason);
      // The module gives a request that it cancelled a moment to end.
      await new Promise((resolve) => setTimeout(resolve, 500));
      return [isOwn, early, document.querySelectorAll('#place *').length, timers()];
    });
    assert.deepEqual(outcome, [true, true, 0, 0]);
  });

  test('cancels a renewal that is under way, and the requests that wait for it get what they had', async () => {
    const page = await openPage(open, world, {}, withTimers);
    let hasGone;
    const gone = new Promise((resolve) => {
      hasGone = resolve;
    });
    world.relay = (_, response) => response.once('close', hasGone);
    world.revoke();
    const status = await page.evaluate(async () => {
      const answer = fetch(`${platform}/data`, { headers: { 'x-qv-token': mounted[0].token } });
      setTimeout(() => widget.destroy(), 300);
      return (await answer).status;
    });
    assert.equal(status, 401);
    await gone;
    await page.waitForTimeout(500);
    assert.deepEqual(await page.evaluate(() => [timers(), told, `${fetch}`.includes('[native code]')]), [
      0,
      [],
      true,
    ]);
  });

  test('cancels the renewal ahead of time that is under way', async () => {
    const page = await openPage(open, world, null);
    world.relay = (_, response) => {
      world.minted.push(world.token(1));
      const answer = { token: world.minted[0], expires_in: 2, domain: world.platform };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    };
    await page.evaluate(async () => {
      globalThis.widget = await put();
    });
    const gone = new Promise((resolve) => {
      world.relay = (_, response) => {
        response.once('close', resolve);
        page.evaluate(() => widget.destroy());
      };
    });
    const patience = new AbortController();
    const late = pause(3_500, 'still under way', { signal: patience.signal });
    assert.equal(await Promise.race([gone, late]), undefined);
    patience.abort();
    await late.catch(() => {});
  });

  test('leaves a neighbour that is still waiting for its token its renewal', async () => {
    const page = await openPage(open, world, {});
    const { relay } = world;
    let answer;
    const asked = new Promise((resolve) => {
      world.relay = (_, response) => {
        answer = response;
        resolve();
      };
    });
    await page.evaluate(() => {
      globalThis.neighbour = put({ forceRefresh: true });
    });
    await asked;
    await page.evaluate(() => widget.destroy());
    world.relay = relay;
    world.minted.push(world.token(2));
    answer.writeHead(200, { 'content-type': 'application/json' });
    answer.end(JSON.stringify({ token: world.token(2), expires_in: 600, domain: world.platform }));
    const seen = await page.evaluate(async () => {
      const widget = await neighbour;
      const { token } = mounted.at(-1);
      await widget.renew();
      const { status } = await fetch(`${platform}/data`, { headers: { 'x-qv-token': token } });
      return [told, status];
    });
    assert.deepEqual(seen, [['renewed'], 200]);
  });

  test('at any moment of the start leaves nothing, however little of the start is left', async () => {
    const page = await openPage(open, world, {}, withTimers);
    const left = await page.evaluate(async () => {
      widget.destroy();
      const left = [];
      for (const options of [{}, { domain: platform }, { renew: 'off' }]) {
        for (let turns = 0; turns < 40; turns += 1) {
          const controller = new AbortController();
          const embedding = put({ ...options, signal: controller.signal }).catch(({ name }) => name);
          // The token is there, and so is the launcher: what is left is turns of the event loop.
          for (let turn = 0; turn < turns; turn += 1) await undefined;
          controller.abort();
          await embedding;
          const elements = document.querySelectorAll('#place *').length;
          const globals = Object.keys(Object.getOwnPropertyDescriptors(globalThis));
          const isPatched = !`${fetch}`.includes('[native code]');
          if (elements || isPatched || globals.some((name) => name.startsWith('qrvey')))
            left.push([options, turns]);
        }
      }
      return left;
    });
    assert.deepEqual(left, []);
  });

  test('by the listener of a neighbour that is ready at the same time', async () => {
    const page = await openPage(open, world, null);
    const seen = await page.evaluate(async () => {
      // Whichever comes first sends the other away.
      const [one, other] = [new AbortController(), new AbortController()];
      const both = await Promise.allSettled([
        put({ signal: one.signal, onReady: () => other.abort() }),
        put({ signal: other.signal, onReady: () => one.abort() }),
      ]);
      const standing = document.querySelectorAll('#place *').length;
      for (const { value } of both) value?.destroy();
      const statuses = both.map(({ status }) => status).sort();
      return [...statuses, standing, document.querySelectorAll('#place *').length];
    });
    assert.deepEqual(seen, ['fulfilled', 'rejected', 1, 0]);
  });

  test('its signal destroys a widget that stands, whose methods then reject', async () => {
    const page = await openPage(open, world, null);
    const outcome = await page.evaluate(async () => {
      const controller = new AbortController();
      const widget = await put({ signal: controller.signal });
      const aborted = new Promise((resolve) => widget.signal.addEventListener('abort', resolve));
      controller.abort('enough');
      await aborted;
      return [
        widget.element ?? 'none',
        widget.signal.reason,
        await widget.renew().catch((error) => error),
        await widget.update({}).catch((error) => error),
        document.querySelectorAll('#place *').length,
      ];
    });
    assert.deepEqual(outcome, ['none', 'enough', 'enough', 'enough', 0]);
  });
});

describe('launchers', () => {
  test('are loaded once, however many widgets', async () => {
    const page = await openPage(open, world, null);
    await page.evaluate(() => Promise.all(Array.from({ length: 10 }, () => put())));
    await page.evaluate(() => put());
    assert.deepEqual(
      launchers().map(({ path }) => path),
      ['/widgets-launcher/app.js'],
    );
    assert.equal(await page.locator('qrvey-end-user').count(), 11);
    assert.equal(world.minted.length, 1);
  });

  test('that fail say so with their URL, leave nothing, and are tried again', async () => {
    const page = await openPage(open, world, null);
    world.launcher = (_, response) => response.writeHead(503).end();
    const fail = () =>
      page.evaluate(() =>
        put({ loadTimeoutMs: 1000 }).catch(({ code, message, retryable }) => [code, message, retryable]),
      );
    const [code, message, retryable] = await fail();
    assert.deepEqual([code, retryable], ['widget_load_failed', true]);
    assert.ok(message.includes(`${world.platform}/widgets-launcher/app.js`));
    world.launcher = (_, response) => response.writeHead(200, { 'content-type': 'text/javascript' }).end('1');
    assert.match((await fail())[1], /did not define <qrvey-end-user> within 1 s/);
    assert.equal(await page.evaluate(() => document.querySelectorAll('#place *, script[src]').length), 0);
    world.launcher = undefined;
    await page.evaluate(() => put());
    assert.equal(await page.locator('qrvey-end-user').count(), 1);
  });

  test('that fail when nobody waits any more are tried again by the next', async () => {
    const page = await openPage(open, world, null);
    let fail;
    const asked = new Promise((resolve) => {
      world.launcher = (_, response) => {
        fail = () => response.writeHead(503).end();
        resolve();
      };
    });
    await page.evaluate(() => {
      globalThis.controller = new AbortController();
      globalThis.gone = put({ domain: platform, signal: controller.signal }).catch(({ name }) => name);
    });
    await asked;
    assert.equal(
      await page.evaluate(() => {
        controller.abort();
        return gone;
      }),
      'AbortError',
    );
    fail();
    await page.waitForTimeout(200);
    world.launcher = undefined;
    await page.evaluate(() => put());
    assert.equal(await page.locator('qrvey-end-user').count(), 1);
  });

  test('find the functions that carry new tokens, wherever they come from', async () => {
    const page = await openPage(open, world, null);
    world.launcher = (_, response) =>
      response
        .writeHead(200, { 'content-type': 'text/javascript' })
        .end(
          `globalThis.kept = fetch; customElements.define('qrvey-end-user', class extends HTMLElement {})`,
        );
    const status = await page.evaluate(async () => {
      const widget = await put({ widgetsUrl: platform });
      const { qvToken } = globalThis[widget.element.getAttribute('settings')];
      await widget.renew();
      return (await kept(`${platform}/data`, { headers: { 'x-qv-token': qvToken } })).status;
    });
    assert.equal(status, 200);
  });

  test('come in a classic form where the module form fails, and from a host of their own', async () => {
    const page = await openPage(open, world, null);
    world.launcher = ({ path }, response) => {
      response.setHeader('content-type', 'text/javascript');
      if (path.endsWith('.esm.js')) return response.writeHead(404).end();
      return response.end(`customElements.define('an-dashboard', class extends HTMLElement {})`);
    };
    await page.evaluate(() =>
      put({ widget: 'analytic-suite', domain: stranger, widgetsUrl: `${platform}/old/` }),
    );
    assert.deepEqual(
      launchers().map(({ path }) => path),
      ['esm.js', 'js'].map((form) => `/old/qrvey-an-widgets/an-dashboard/andashboard/andashboard.${form}`),
    );
  });

  test('module launchers are fetched again after a failure', async () => {
    const page = await openPage(open, world, null);
    world.launcher = (_, response) => response.writeHead(503).end();
    await page.evaluate(() => put({ widget: 'dashboard' }).catch(() => {}));
    world.launcher = (_, response) =>
      response
        .writeHead(200, { 'content-type': 'text/javascript' })
        .end(`customElements.define('qrvey-dashboard', class extends HTMLElement {})`);
    await page.evaluate(() => put({ widget: 'dashboard' }));
    assert.equal(await page.locator('qrvey-dashboard').count(), 1);
  });
});

describe('options', () => {
  test('are refused by name', async () => {
    const page = await openPage(open, world, null);
    const messages = await page.evaluate(async () => {
      const attempts = [
        { widget: 'dashbord' },
        { container: '#nowhere' },
        { container: '(' },
        { settings: { apiKey: 'x' } },
        { settings: { qvToken: 'x' } },
        { widget: 'single-panel', settings: { qrveyId: 1, type: 'CHART' } },
        { domain: 'tenant.example' },
        { onReady: 'x' },
        { reley: '/x' },
        { timeoutMs: 'x' },
        { signal: {} },
        { context: {} },
        { settings: 'x' },
      ];
      const refuse = async (options) =>
        put(options).catch(({ code, message }) => `${code} ${message.match(/"([^"]+)"/)?.[1]}`);
      return Promise.all([...attempts.map(refuse), auth.embed(undefined).catch(({ code }) => code)]);
    });
    assert.deepEqual(
      messages.map((message) => message.replace('invalid_options', '').trim()),
      [
        'widget',
        'container',
        'container',
        'settings.apiKey',
        'settings.qvToken',
        'settings.qrveyId',
        'domain',
        'onReady',
        'reley',
        'timeoutMs',
        'signal',
        'context',
        'settings',
        '',
      ],
    );
    assert.equal(await page.locator('#place *').count(), 0);
  });

  test('that cannot be sent are refused by name, whatever is renewed, and whoever gave them', async () => {
    const page = await openPage(open, world, null);
    const seen = await page.evaluate(async () => {
      const circle = {};
      circle.of = circle;
      const bad = [{ headers: { 'no name': 'x' } }, { endpoint: '/x', body: circle }];
      const told = ({ name, code, message, cause }) => [name, code, message.split('"')[1], cause?.name ?? ''];
      const seen = [];
      for (const options of bad) {
        for (const renew of ['seamless', 'remount', 'off']) {
          seen.push(await put({ ...options, renew }).catch(told));
          seen.push(await put({ renew }, auth.createClient(options)).catch(told));
        }
      }
      return seen;
    });
    const refused = (...told) => Array(6).fill(['QrveyAuthError', 'invalid_options', ...told]);
    assert.deepEqual(seen, [...refused('headers', 'TypeError'), ...refused('body', '')]);
    assert.equal(world.minted.length, 0);
    assert.equal(await page.locator('#place *').count(), 0);
  });

  test('headers from a function go with each request for a token, and widgets share what it gives', async () => {
    const sent = [];
    world.relay = ({ headers }, response) => {
      sent.push(headers.authorization);
      world.minted.push(world.token(world.minted.length + 1));
      const answer = { token: world.minted.at(-1), expires_in: 600, domain: world.platform };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    };
    const page = await openPage(open, world, null);
    await page.evaluate(async () => {
      let asked = 0;
      const headers = async () => ({ authorization: `Bearer ${++asked}` });
      const widgets = [await put({ headers }), await put({ headers: () => headers() })];
      await Promise.all(widgets.map((widget) => widget.renew()));
    });
    assert.deepEqual(sent, ['Bearer 1', 'Bearer 2']);
  });

  test('a domain that is none is told to whoever gave it', async () => {
    const page = await openPage(open, world, null);
    const codes = async () =>
      page.evaluate(async () => {
        const fail = (options) => put(options).catch(({ code }) => code);
        return [await fail({ domain: 'https://:1' }), await fail({ apiUrl: 'http://[' }), await fail({})];
      });
    const answer = (domain) => (_, response) => {
      const body = { token: world.token(1), expires_in: 600, domain };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    world.relay = answer('javascript:alert(1)');
    assert.deepEqual(await codes(), ['invalid_options', 'invalid_options', 'invalid_response']);
    await page.evaluate(() => auth.clearTokens());
    world.relay = answer(undefined);
    assert.equal((await codes())[2], 'invalid_options');
    assert.equal(await page.locator('#place *').count(), 0);
  });

  test('settings reach the widget as it wants them, the token under the right key, and no global shows', async () => {
    const page = await openPage(open, world, null);
    const seen = await page.evaluate(async () => {
      await put({ settings: { theme: { dark: true } } });
      globalThis.customElements.define('qrvey-design-widgets', class extends HTMLElement {});
      const design = await put({ widget: 'web-form-design', settings: { appId: 'a', brandNew: 1 } });
      const { qv_token: token, ...rest } = globalThis[design.element.getAttribute('settings')];
      const old = await put({ tokenKey: 'qv_token' });
      const listed = [];
      for (const name in globalThis) if (name.startsWith('qrvey')) listed.push(name);
      return [
        mounted[0].settings,
        typeof token,
        rest,
        Object.keys(globalThis[old.element.getAttribute('settings')]),
        listed,
      ];
    });
    const domain = world.platform;
    assert.deepEqual(seen, [
      { theme: { dark: true }, domain },
      'string',
      { app_id: 'a', brandNew: 1, domain },
      ['domain', 'qv_token'],
      [],
    ]);
  });
});

describe('mounting anew', () => {
  test('updates follow each other, and one that is refused changes nothing', async () => {
    const page = await openPage(open, world, { settings: { a: 1 } });
    const seen = await page.evaluate(async () => {
      const updates = [{ b: 2 }, { apiKey: 'x' }, { a: undefined, c: 3 }].map((settings) =>
        widget.update(settings),
      );
      const outcomes = (await Promise.allSettled(updates)).map(({ reason }) => reason?.code);
      const { domain, ...settings } = mounted.at(-1).settings;
      return [outcomes, settings];
    });
    assert.deepEqual(seen, [[undefined, 'invalid_options', undefined], { b: 2, c: 3 }]);
  });

  test('a domain among the settings cannot change: it is said, and the widget stands as it was', async () => {
    const page = await openPage(open, world, { settings: { a: 1 } });
    const seen = await page.evaluate(async () => {
      const code = await widget.update({ domain: stranger }).catch(({ code }) => code);
      await widget.update({ b: 2 });
      return [code, mounted.at(-1).settings];
    });
    assert.deepEqual(seen, ['invalid_options', { a: 1, b: 2, domain: world.platform }]);
  });

  test('a page that has frozen its functions gets each token by mounting anew', async () => {
    const page = await openPage(open, world, null, () => Object.freeze(XMLHttpRequest.prototype));
    const seen = await page.evaluate(async () => {
      globalThis.widget = await put();
      const isNative = `${fetch}`.includes('[native code]');
      await widget.renew();
      widget.destroy();
      return [isNative, told, mounted.length];
    });
    assert.deepEqual(seen, [true, ['remounted out_of_reach', 'renewed'], 2]);
  });

  test('remount keeps size, scroll and focus of the container', async () => {
    const page = await openPage(open, world, null);
    const [before, after] = await page.evaluate(async () => {
      const place = document.querySelector('#place');
      place.style.cssText = 'height: 200px; overflow: auto; min-height: 1px';
      document.body.style.height = '5000px';
      place.insertAdjacentHTML('beforebegin', '<div style="height: 900px"></div>');
      const widget = await put({ renew: 'remount' });
      const fill = (element) => {
        element.style.cssText = 'display: block; height: 900px';
        element.tabIndex = 0;
      };
      fill(widget.element);
      widget.element.focus();
      place.scrollTop = 333;
      scrollTo(0, 400);
      const look = () => [
        place.offsetHeight,
        place.scrollHeight,
        scrollY,
        place.contains(document.activeElement),
        place.scrollTop,
      ];
      const before = look();
      const first = widget.element;
      await widget.renew();
      fill(widget.element);
      place.scrollTop = 333;
      const after = look();
      if (widget.element === first) throw new Error('not mounted anew');
      await new Promise((resolve) => setTimeout(resolve, 200));
      return [
        [...before, 'min-height: 1px'],
        [...after, `min-height: ${place.style.minHeight}`],
      ];
    });
    assert.deepEqual(after, before);
    assert.equal(world.minted.length, 2);
  });

  test('a container without a height of its own does not jump', async () => {
    const page = await openPage(open, world, null);
    const heights = await page.evaluate(async () => {
      const place = document.querySelector('#place');
      const widget = await put({ renew: 'remount' });
      widget.element.style.cssText = 'display: block; height: 700px';
      const heights = [place.offsetHeight];
      await widget.renew();
      heights.push(place.offsetHeight);
      widget.element.style.cssText = 'display: block; height: 800px';
      await new Promise((resolve) => setTimeout(resolve, 200));
      heights.push(place.offsetHeight, place.getAttribute('style'));
      return heights;
    });
    assert.deepEqual(heights, [700, 700, 800, null]);
  });

  test('requests out of reach are noticed by their event: renewed once, mounted anew, and told', async () => {
    const page = await openPage(open, world, {});
    const told = await page.evaluate(async () => {
      dispatchEvent(new CustomEvent('qvTokenExpired', { detail: { trigger: 'Dashboard View Widget' } }));
      dispatchEvent(new CustomEvent('qvTokenExpired', { detail: { trigger: 'Dashboard View Widget' } }));
      await new Promise((resolve) => setTimeout(resolve, 500));
      return [told, mounted.length, new Set(mounted.map(({ token }) => token)).size];
    });
    assert.deepEqual(told, [['remounted out_of_reach', 'renewed'], 2, 2]);
    assert.equal(world.minted.length, 2);
  });

  test('a frame on the platform is out of reach', async () => {
    const page = await openPage(open, world, {});
    const told = await page.evaluate(async () => {
      const root = widget.element.attachShadow({ mode: 'open' });
      const frame = document.createElement('iframe');
      frame.src = `${platform}/frame`;
      root.append(frame);
      await widget.renew();
      return told;
    });
    assert.deepEqual(told, ['remounted out_of_reach', 'renewed']);
  });

  test('so is one of the page that asks the platform, but not one that does not', async () => {
    const page = await openPage(open, world, {});
    const told = await page.evaluate(async () => {
      const [idle, asking] = [document.createElement('iframe'), document.createElement('iframe')];
      widget.element.append(idle);
      await widget.renew();
      const first = told.splice(0);
      widget.element.append(asking);
      await (await asking.contentWindow.fetch(`${platform}/data`)).text();
      // The browser takes note of a request when it is over.
      await new Promise((resolve) => setTimeout(resolve, 100));
      await widget.renew();
      return [first, told];
    });
    assert.deepEqual(told, [['renewed'], ['remounted out_of_reach', 'renewed']]);
  });

  test('an event of another kind of widget is not meant, nor is any once renewal is off', async () => {
    const page = await openPage(open, world, {});
    await page.evaluate(async () => {
      customElements.define('qrvey-builders', class extends HTMLElement {});
      await put({ widget: 'dashboard-builder', renew: 'off' });
      dispatchEvent(new CustomEvent('qvTokenExpired', { detail: { trigger: 'Dashboard Builder Widget' } }));
      await new Promise((resolve) => setTimeout(resolve, 300));
    });
    assert.equal(world.minted.length, 1);
  });

  test('the refusal of one client is no reason to mount the widgets of another anew', async () => {
    const page = await openPage(open, world, {});
    await page.evaluate(async () => {
      globalThis.other = await put({ profile: 'other' }, auth.createClient());
    });
    world.relay = (_, response) => response.writeHead(403).end();
    world.revoke();
    const outcome = await page.evaluate(async () => {
      const before = [widget.element, other.element];
      // What a widget does: ask, and tell of the refusal that reaches it.
      const { status } = await fetch(`${platform}/data`, { headers: { 'x-qv-token': mounted[0].token } });
      dispatchEvent(new CustomEvent('qvTokenExpired', { detail: { trigger: 'Dashboard View Widget' } }));
      await new Promise((resolve) => setTimeout(resolve, 300));
      return [status, before[0] === widget.element, before[1] === other.element, told];
    });
    assert.deepEqual(outcome, [401, true, true, ['failed forbidden']]);
  });

  test("Qrvey's events arrive, typed and by option", async () => {
    const page = await openPage(open, world, null);
    const seen = await page.evaluate(async () => {
      const seen = [];
      const widget = await put({
        onReady: ({ type }) => seen.push(type),
        onQvDSHPageLoaded: ({ type, detail }) => seen.push(type, detail.pageId),
      });
      widget.addEventListener('atApplyUserFilters', ({ detail }) => seen.push(detail));
      document.dispatchEvent(new CustomEvent('qvDSHPageLoaded', { detail: { pageId: 'p' } }));
      dispatchEvent(new CustomEvent('atApplyUserFilters', { detail: 'f' }));
      widget.destroy();
      dispatchEvent(new CustomEvent('atApplyUserFilters', { detail: 'too late' }));
      return seen;
    });
    assert.deepEqual(seen, ['ready', 'qvDSHPageLoaded', 'p', 'f']);
  });
});

describe('signing out', () => {
  test('ends renewal for good: no widget of before gets a token of after', async () => {
    const page = await openPage(open, world, {});
    world.revoke();
    const outcome = await page.evaluate(async () => {
      auth.clearTokens();
      await new Promise((resolve) => setTimeout(resolve, 50));
      await auth.getComposerToken();
      const answer = await fetch(`${platform}/data`, { headers: { 'x-qv-token': mounted[0].token } });
      const renewed = await widget.renew().catch(({ code }) => code);
      if (renewed !== 'not_signed_in') throw new Error(renewed);
      const next = await put();
      return [answer.status, told.slice(0, 1), mounted.length, next.element.isConnected];
    });
    assert.deepEqual(outcome, [401, ['failed not_signed_in'], 2, true]);
    assert.ok(!world.requests.some(({ token }) => token === world.minted[1]));
  });
});

describe('signing out while a widget', () => {
  for (const renew of ['seamless', 'off']) {
    test(`loads: it never stands (${renew})`, async () => {
      const page = await openPage(open, world, null);
      let load;
      const asked = new Promise((resolve) => {
        world.launcher = (_, response) => {
          load = () =>
            response
              .writeHead(200, { 'content-type': 'text/javascript' })
              .end(`customElements.define('qrvey-end-user', class extends HTMLElement {})`);
          resolve();
        };
      });
      await page.evaluate((renew) => {
        globalThis.embedding = put({ renew }).catch(({ code }) => code);
      }, renew);
      await asked;
      await page.evaluate(() => auth.clearTokens());
      load();
      const outcome = await page.evaluate(() => embedding);
      assert.equal(outcome, 'not_signed_in');
      assert.equal(await page.evaluate(() => document.querySelectorAll('#place *').length), 0);
    });

    test(`stands: it is not mounted anew (${renew})`, async () => {
      const page = await openPage(open, world, { renew });
      const codes = await page.evaluate(async () => {
        auth.clearTokens();
        const changes = [widget.update({ theme: 'dark' }), widget.renew()];
        return Promise.all(changes.map((change) => change.catch(({ code }) => code)));
      });
      assert.deepEqual(codes, ['not_signed_in', 'not_signed_in']);
      assert.equal(await page.evaluate(() => mounted.length), 1);
      assert.equal(world.minted.length, 1);
    });
  }
});

describe('a renewal that the relay wants late', () => {
  for (const later of ['2592000', 'Fri, 31 Dec 9999 23:59:59 GMT']) {
    test(`is not asked for at once, nor when the page wakes (Retry-After: ${later})`, async () => {
      const page = await openPage(open, world, {});
      let asked = 0;
      world.relay = (_, response) => {
        asked += 1;
        const problem = { code: 'rate_limited', status: 429, title: 'Too Many Requests', detail: '' };
        response.writeHead(429, { 'retry-after': later, 'content-type': 'application/problem+json' });
        response.end(JSON.stringify(problem));
      };
      const code = await page.evaluate(() => widget.renew().catch(({ code }) => code));
      assert.equal(code, 'rate_limited');
      await page.evaluate(() => dispatchEvent(new Event('online')));
      await page.waitForTimeout(1_000);
      assert.equal(asked, 1);
    });
  }

  test('and neither does a launcher that may take for ever fail at once', async () => {
    const page = await openPage(open, world, null);
    await page.evaluate(() => put({ loadTimeoutMs: 3e9 }));
  });
});

describe('defaults', () => {
  test('are those of the moment of embed: later ones are for later widgets', async () => {
    const page = await openPage(open, world, null);
    const asked = [];
    world.relay = ({ body }, response) => {
      asked.push(JSON.parse(body).profile);
      world.minted.push(world.token(asked.length));
      const answer = { token: world.minted.at(-1), expires_in: 600, domain: world.platform };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    };
    const tokens = await page.evaluate(async () => {
      const none = await put();
      auth.configure({ profile: 'one' });
      const one = await put();
      const off = await put({ renew: 'off' });
      auth.configure({ profile: 'two', headers: { 'x-other': 'two' } });
      const two = await put();
      for (const widget of [none, one, off, two]) await widget.renew();
      return mounted.length;
    });
    assert.deepEqual(asked, [undefined, 'one', 'two', undefined, 'one', 'one', 'two']);
    assert.equal(tokens, 5);
  });

  test('have a signal that ends widgets as it ends calls, unless they have one of their own', async () => {
    const page = await openPage(open, world, null);
    const seen = await page.evaluate(async () => {
      const over = auth.createClient({ signal: AbortSignal.abort('over') });
      const early = await put({}, over).catch((reason) => reason);
      const own = await put({ signal: new AbortController().signal }, over);
      const life = new AbortController();
      const client = auth.createClient({ signal: life.signal });
      const widget = await put({}, client);
      // Later defaults are for later widgets.
      client.configure({});
      life.abort('enough');
      return [early, own.signal.aborted, widget.signal.reason, document.querySelectorAll('#place *').length];
    });
    assert.deepEqual(seen, ['over', false, 'enough', 1]);
  });

  test('hold for what a refusal brings, too', async () => {
    const page = await openPage(open, world, {});
    world.revoke();
    const asked = [];
    const { relay } = world;
    world.relay = ({ path, body }, response) => {
      asked.push([path, body]);
      world.minted.push(world.token(9));
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ token: world.minted.at(-1), expires_in: 600 }));
    };
    const status = await page.evaluate(async () => {
      auth.configure({ profile: 'two', relay: '/elsewhere' });
      const answer = await fetch(`${platform}/data`, { headers: { 'x-qv-token': mounted[0].token } });
      return answer.status;
    });
    world.relay = relay;
    assert.equal(status, 200);
    assert.deepEqual(asked, [['/qrvey/composer-token', '{}']]);
  });
});

describe('news', () => {
  test('of another token of the same client are not for a widget', async () => {
    const page = await openPage(open, world, {});
    world.relay = ({ headers }, response) => {
      const isFirst = headers['x-other'] === undefined || !world.asked;
      world.asked = true;
      response.writeHead(isFirst ? 200 : 401, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(isFirst ? { token: world.token(7), expires_in: 1, domain: world.platform } : {}),
      );
    };
    world.asked = false;
    const seen = await page.evaluate(async () => {
      const failed = new Promise((resolve) => {
        globalThis.neighbour = auth.embed({
          widget: 'dashboard-view',
          container: '#place',
          headers: { 'x-other': '1' },
          onFailed: ({ detail }) => resolve(detail.error.code),
        });
      });
      await neighbour;
      return [await failed, told];
    });
    assert.deepEqual(seen, ['not_signed_in', []]);
  });
});
