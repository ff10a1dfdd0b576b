// The origin that an application is served from: its files or its own server, with a relay at /qrvey.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request as ask, createServer } from 'node:http';
import { connect } from 'node:net';
import { extname, join } from 'node:path';

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.map': 'application/json',
};

/**
 * Serves `place`, a folder or the URL of the application's own server, until the test ends; with the
 * relay of a sandbox, or one that gives tokens nobody looks at.
 */
export async function originOf(t, place, sandbox) {
  const origin = {
    url: '',
    /** The paths that were asked for, besides the relay's. */
    paths: [],
    /** The tokens that the relay gave, each another. */
    tokens: [],
  };
  const upstream = place.startsWith('http') ? new URL(place) : undefined;
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://any').pathname;
    if (sandbox && /^\/(qrvey\/|session$)/.test(path))
      return forward(new URL(sandbox.host), request, response);
    if (path.startsWith('/qrvey/')) return relay(origin, request, response);
    if (path === '/favicon.ico') return response.writeHead(204).end();
    origin.paths.push(path);
    if (upstream) return forward(upstream, request, response);
    try {
      const content = await readFile(join(place, path));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  if (upstream) server.on('upgrade', (request, socket) => tunnel(upstream, request, socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  origin.url = `http://127.0.0.1:${server.address().port}`;
  return origin;
}

function relay(origin, request, response) {
  if (request.method !== 'POST' || request.url !== '/qrvey/composer-token') {
    return response.writeHead(404).end();
  }
  const token = `eyJraWQiOiJzIn0.${'a'.repeat(40)}.${origin.tokens.length}.c.d`;
  origin.tokens.push(token);
  const body = JSON.stringify({ token, expires_in: 600 });
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
}

function forward({ hostname, port }, request, response) {
  const { url: path, method, headers } = request;
  const onward = ask({ hostname, port, path, method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}

/** For the WebSocket of a development server. */
function tunnel({ hostname, port }, request, socket) {
  const onward = connect(port, hostname, () => {
    const headers = request.rawHeaders.map((text, at) => (at % 2 ? `${text}\r\n` : `${text}: `));
    onward.write(`GET ${request.url} HTTP/1.1\r\n${headers.join('')}\r\n`);
    onward.pipe(socket).pipe(onward);
  });
  onward.on('error', () => socket.destroy());
  socket.on('error', () => onward.destroy());
  socket.on('close', () => onward.destroy());
}
