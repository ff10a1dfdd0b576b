// What `seamless` does to `fetch`, and what it leaves alone.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useBrowser } from './support/browser.mjs';
import { openPage, usePlatform } from './support/platform.mjs';

const open = useBrowser();
const world = usePlatform();
const data = () => world.requests.filter(({ path }) => path.startsWith('/data'));

describe('fetch', () => {
  test('carries the token in use wherever a superseded one stands in a header', async () => {
    const page = await openPage(open, world);
    await page.evaluate(async () => {
      const { token } = mounted[0];
      await widget.renew();
      await fetch(`${platform}/data/bearer`, {
        headers: { authorization: `Bearer ${token}`, 'x-other': 'kept' },
      });
      await fetch(new Request(`${platform}/data/bare`, { headers: [['x-qv-token', token]] }));
      await fetch(new URL(`${platform}/data/url`), { headers: new Headers({ 'x-qv-token': token }) });
      const frame = document.body.appendChild(document.createElement('iframe'));
      const foreign = new frame.contentWindow.Request(`${platform}/data/frame`, {
        headers: { 'x-qv-token': token, 'x-other': `token=${token}` },
      });
      await fetch(foreign);
      await fetch(`${platform.toUpperCase().replace('HTTP', 'http')}/data/none`).catch(() => {});
    });
    const seen = data().map(({ path, status }) => [path, status]);
    assert.deepEqual(seen.slice(0, 3), [
      ['/data/bearer', 200],
      ['/data/bare', 200],
      ['/data/url', 200],
    ]);
    assert.equal(data()[3].headers['x-other'], `token=${world.minted[1]}`);
    assert.equal(data()[0].headers['x-other'], 'kept');
    assert.equal(data()[0].headers.authorization, `Bearer ${world.minted[1]}`);
    assert.equal(world.minted.length, 2);
  });

  test('never gives another origin the new token, nor renews for its 401', async () => {
    const page = await openPage(open, world);
    await page.evaluate(async () => {
      const { token } = mounted[0];
      await widget.renew();
      await fetch(`${stranger}/data`, { headers: { 'x-qv-token': token } });
      await fetch(`${stranger}/data?${platform}/`, { headers: { 'x-qv-token': token } });
      await fetch(`${stranger}/data`, { headers: { 'x-qv-token': `${token}x` } });
    });
    const strange = world.requests.filter(({ isStranger }) => isStranger);
    assert.equal(strange.length, 3);
    for (const { headers } of strange) assert.ok(!headers['x-qv-token'].includes(world.minted[1]));
    assert.equal(world.minted.length, 2);
  });

  test('only tokens as words of their own are replaced', async () => {
    const page = await openPage(open, world);
    await page.evaluate(async () => {
      const { token } = mounted[0];
      await widget.renew();
      await fetch(`${platform}/data`, { headers: { 'x-qv-token': `${token}x` } });
    });
    assert.equal(data()[0].headers['x-qv-token'], `${world.minted[0]}x`);
  });

  test('renews once at a 401 and replays every body that can be read again', async () => {
    const page = await openPage(open, world);
    world.revoke();
    const answers = await page.evaluate(async () => {
      const { token } = mounted[0];
      const headers = { 'x-qv-token': token };
      const form = new FormData();
      form.append('a', 'b');
      const buffer = new TextEncoder().encode('buffer');
      const bodies = ['text', new Blob(['blob']), buffer, new URLSearchParams({ q: '1' }), form];
      const sent = bodies.map((body) => fetch(`${platform}/data`, { method: 'POST', headers, body }));
      buffer.fill(0);
      const request = new Request(`${platform}/data`, { method: 'PUT', headers, body: 'request' });
      sent.push(fetch(request));
      sent.push(fetch(`${platform}/data`, { headers }));
      const all = await Promise.all(sent);
      return {
        bodyUsed: request.bodyUsed,
        answers: await Promise.all(
          all.map(async (answer) => [answer.status, answer.type, answer.url, (await answer.json()).body]),
        ),
      };
    });
    assert.equal(answers.bodyUsed, true);
    for (const [status, type, url] of answers.answers) {
      assert.deepEqual([status, type, url], [200, 'cors', `${world.platform}/data`]);
    }
    const bodies = answers.answers.map(([, , , body]) => body);
    assert.deepEqual(bodies.slice(0, 4), ['text', 'blob', 'buffer', 'q=1']);
    assert.match(bodies[4], /name="a"/);
    assert.deepEqual(bodies.slice(5), ['request', '']);
    assert.equal(world.minted.length, 2);
  });

  test('waits for a renewal that is under way instead of asking for another token', async () => {
    const page = await openPage(open, world, null);
    const asked = [];
    const give = (response) => {
      world.minted.push(world.token(world.minted.length + 1));
      const answer = { token: world.minted.at(-1), expires_in: world.minted.length === 1 ? 1 : 600 };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ...answer, domain: world.platform }));
    };
    const renewing = new Promise((resolve) => {
      world.relay = (_, response) => {
        if (asked.push(response) === 1) give(response);
        else resolve();
      };
    });
    await page.evaluate(async () => {
      globalThis.widget = await put();
    });
    await renewing;
    world.accepts = (token) => token !== world.minted[0];
    const answers = page.evaluate(async () => {
      const headers = { 'x-qv-token': mounted[0].token };
      const answers = await Promise.all([1, 2].map(() => fetch(`${platform}/data`, { headers })));
      return answers.map(({ status }) => status);
    });
    await page.waitForTimeout(300);
    for (const response of asked.slice(1)) give(response);
    assert.deepEqual(await answers, [200, 200]);
    assert.equal(asked.length, 2);
  });

  test('a stream is not sent twice, but its 401 renews for what follows', async () => {
    const page = await openPage(open, world);
    world.revoke();
    const outcome = await page.evaluate(async () => {
      const { token } = mounted[0];
      const body = new Response('stream').body;
      const init = { method: 'POST', headers: { 'x-qv-token': token }, body, duplex: 'half' };
      // Streams go up over HTTP/2 only, which this server does not speak: the attempt alone counts.
      const streamed = await fetch(`${platform}/data`, init).then(
        ({ status }) => status,
        ({ name }) => name,
      );
      return streamed;
    });
    // Firefox, which knows no such streams, sends what it makes of one.
    assert.ok(['TypeError', 401].includes(outcome));
    assert.ok(data().length <= 1);
  });

  test("an abort while the token is renewed rejects with the caller's own reason", async () => {
    const page = await openPage(open, world);
    world.revoke();
    world.relay = () => {};
    const isOwn = await page.evaluate(async () => {
      const { token } = mounted[0];
      const controller = new AbortController();
      const reason = { mine: true };
      setTimeout(() => controller.abort(reason), 200);
      const answer = fetch(`${platform}/data`, {
        headers: { 'x-qv-token': token },
        signal: controller.signal,
      });
      return answer.catch((error) => error === reason);
    });
    assert.equal(isOwn, true);
  });

  test('where there is no new token the refusal arrives as it is, and nothing loops', async () => {
    const page = await openPage(open, world);
    world.revoke();
    let asked = 0;
    world.relay = (_, response) => {
      asked += 1;
      response.writeHead(403, { 'content-type': 'application/json' }).end('{}');
    };
    const seen = await page.evaluate(async () => {
      const headers = { 'x-qv-token': mounted[0].token };
      const statuses = [];
      for (let n = 0; n < 5; n += 1) {
        const answer = await fetch(`${platform}/data`, { headers });
        statuses.push([answer.status, (await answer.json()).status]);
      }
      return { statuses, told, isThere: widget.element.isConnected };
    });
    assert.deepEqual(seen.statuses, Array(5).fill([401, 401]));
    assert.deepEqual(seen.told, ['failed forbidden']);
    assert.equal(seen.isThere, true);
    assert.equal(asked, 1);
  });

  test('a platform that refuses every token is not asked for ever', async () => {
    const page = await openPage(open, world);
    world.accepts = () => false;
    await page.evaluate(async () => {
      const headers = { 'x-qv-token': mounted[0].token };
      for (let n = 0; n < 50; n += 1) await fetch(`${platform}/data`, { headers });
    });
    assert.ok(world.minted.length <= 4, `${world.minted.length} tokens`);
  });

  test('two tenants on a page: each request is renewed with the token of its own client', async () => {
    const page = await openPage(open, world, null);
    const given = { aurora: [], basalt: [] };
    world.relay = ({ headers }, response) => {
      const tenant = headers['x-tenant'];
      given[tenant].push(world.token(`${tenant}${given[tenant].length}`));
      world.minted.push(given[tenant].at(-1));
      const answer = { token: given[tenant].at(-1), expires_in: 600, domain: world.platform };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    };
    world.accepts = (token) => Object.values(given).some((tokens) => token === tokens[1]);
    await page.evaluate(async () => {
      for (const tenant of ['aurora', 'basalt']) {
        await put({}, auth.createClient({ headers: { 'x-tenant': tenant } }));
      }
      const ask = (tenant, token) => [
        fetch(`${platform}/data/${tenant}`, { headers: { 'x-qv-token': token } }),
        new Promise((resolve) => {
          const xhr = new XMLHttpRequest();
          xhr.onloadend = resolve;
          xhr.open('GET', `${platform}/data/${tenant}`);
          xhr.setRequestHeader('authorization', `Bearer ${token}`);
          xhr.send();
        }),
      ];
      const [aurora, basalt] = mounted;
      await Promise.all([...ask('aurora', aurora.token), ...ask('basalt', basalt.token)]);
      await Promise.all([...ask('basalt', basalt.token), ...ask('aurora', aurora.token)]);
    });
    for (const [tenant, tokens] of Object.entries(given)) {
      assert.equal(tokens.length, 2, 'one renewal for each');
      const sent = data().filter(({ path }) => path === `/data/${tenant}`);
      assert.deepEqual(sent.map(({ token }) => tokens.indexOf(token)).sort(), [0, 0, 1, 1, 1, 1]);
    }
  });

  test('failures and odd arguments are those of the browser', async () => {
    const page = await openPage(open, world);
    const [with_, without] = await page.evaluate(async () => {
      const outcomes = () =>
        Promise.all(
          [
            () => fetch(),
            () => fetch('http://'),
            () => fetch(`${platform}/data`, { method: 'GET', body: 'x' }),
            () => fetch(`${platform}/data`, { headers: { 'bad name': 'x' } }),
            () => fetch(`${platform}/data`, { signal: AbortSignal.abort('early') }),
            () => fetch.call({}, `${platform}/data`),
          ].map(async (call) => {
            try {
              return (await call()).status;
            } catch (error) {
              return error?.name ?? error;
            }
          }),
        );
      const patched = [await outcomes(), fetch.name, fetch.length];
      widget.destroy();
      return [patched, [await outcomes(), fetch.name, fetch.length]];
    });
    assert.deepEqual(with_, without);
  });
});
