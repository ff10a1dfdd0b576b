// A page with a relay, a platform on an origin of its own and a third party, all under a test's control.
// The platform's one widget hands the page its configuration and does nothing by itself.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, beforeEach } from 'node:test';

const ROOT = new URL('../../../', import.meta.url);
const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">
<title>embed</title><main id="place"></main></html>`;
const LAUNCHER = `customElements.define('qrvey-end-user', class extends HTMLElement {
  connectedCallback() {
    const { qvToken, ...settings } = window[this.getAttribute('settings')];
    window.mounted = [...(window.mounted ?? []), { token: qvToken, settings }];
  }
});`;

export function usePlatform() {
  const world = {
    page: '',
    platform: '',
    stranger: '',
    /** Tokens that the relay has given out. */
    minted: [],
    /** Whether the platform believes a token. */
    accepts: (token) => token === world.minted.at(-1),
    /** What reached the platform and the stranger. */
    requests: [],
    /** Answers a request to the relay; set by a test that wants a relay that fails. */
    relay: undefined,
    /** Answers a request for data to the platform, likewise. */
    data: undefined,
    token: (n) => `eyJraWQiOiJzIn0.${'a'.repeat(400)}.n${n}.c.d`,
    revoke: () => {
      world.accepts = (token) => token === world.minted.at(-1) && world.minted.length > world.revoked;
      world.revoked = world.minted.length;
    },
  };
  const servers = [];
  const serve = async (name, answer) => {
    const server = createServer(async (request, response) => {
      const path = request.url.split('?')[0];
      const body = Buffer.concat(await request.toArray()).toString();
      await answer({ path, method: request.method, headers: request.headers, body }, response);
    });
    servers.push(server);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    world[name] = `http://127.0.0.1:${server.address().port}`;
  };
  const open = (response, origin) => {
    response.setHeader('access-control-allow-origin', origin ?? '*');
    if (origin) response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-allow-headers', 'authorization,content-type,x-qv-token,x-other');
    response.setHeader('access-control-allow-methods', 'GET,POST,PUT');
    response.setHeader('access-control-max-age', '600');
  };
  before(async () => {
    await serve('page', async (request, response) => {
      // A page may have two copies of the package; the other is the same at another address.
      if (/^(\/copy)?\/dist\//.test(request.path)) {
        const file = await readFile(new URL(request.path.replace(/^\/(copy\/)?/, ''), ROOT));
        return response.writeHead(200, { 'content-type': 'text/javascript' }).end(file);
      }
      if (request.path.startsWith('/modules/')) {
        const file = await readFile(new URL(`tests/embed/apps/node_modules/${request.path.slice(9)}`, ROOT));
        return response.writeHead(200, { 'content-type': 'text/javascript' }).end(file);
      }
      if (request.path === '/qrvey/composer-token') {
        if (world.relay) return world.relay(request, response);
        world.minted.push(world.token(world.minted.length + 1));
        const answer = { token: world.minted.at(-1), expires_in: 600, domain: world.platform };
        return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      }
      return response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
    });
    await serve('platform', (request, response) => {
      open(response, request.headers.origin);
      if (request.method === 'OPTIONS') return response.writeHead(204).end();
      if (request.path.endsWith('.js')) {
        world.requests.push(request);
        if (world.launcher) return world.launcher(request, response);
        return response.writeHead(200, { 'content-type': 'text/javascript' }).end(LAUNCHER);
      }
      const token = request.headers['x-qv-token'] ?? request.headers.authorization?.replace('Bearer ', '');
      const status = world.accepts(token) ? 200 : 401;
      world.requests.push({ ...request, token, status });
      if (world.data) return world.data(status, response);
      const answer = JSON.stringify({ status, method: request.method, body: request.body });
      return response.writeHead(status, { 'content-type': 'application/json' }).end(answer);
    });
    await serve('stranger', (request, response) => {
      open(response);
      if (request.method === 'OPTIONS') return response.writeHead(204).end();
      world.requests.push({ ...request, isStranger: true });
      return response.writeHead(401, { 'content-type': 'application/json' }).end('{}');
    });
  });
  beforeEach(() => {
    Object.assign(world, { minted: [], requests: [], revoked: 0 });
    Object.assign(world, { relay: undefined, data: undefined, launcher: undefined });
    world.accepts = (token) => token === world.minted.at(-1);
  });
  after(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });
  return world;
}

/** Opens the page with `auth` imported and, unless `options` is null, a widget as `widget`. */
export async function openPage(open, world, options = {}, prepare) {
  const page = await open();
  if (prepare) await page.addInitScript(prepare);
  await page.goto(world.page);
  await page.evaluate(
    async ([options, platform, stranger]) => {
      Object.assign(globalThis, { platform, stranger, told: [] });
      globalThis.auth = await import('/dist/index.js');
      globalThis.put = async (more, client = auth) => {
        const widget = await client.embed({ widget: 'dashboard-view', container: '#place', ...more });
        for (const type of ['renewed', 'failed', 'expired', 'remounted']) {
          widget.addEventListener(type, ({ detail }) =>
            told.push([type, detail.reason ?? detail.error?.code ?? ''].join(' ').trim()),
          );
        }
        return widget;
      };
      if (options) globalThis.widget = await put(options);
    },
    [options, world.platform, world.stranger],
  );
  return page;
}
