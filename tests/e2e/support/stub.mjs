// A server under a test's control: serves the built package and one empty page, and plays relays that
// no product would be: hanging, stalling, answering rubbish.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before } from 'node:test';

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title>
<script type="importmap">{"imports":{"qrvey-auth":"/dist/index.js"}}</script>`;

/** A token that looks like the platform's (JWE: five parts), different each time. */
export const opaqueToken = (n = 0) => `eyJraWQiOiJzIn0.${'a'.repeat(40)}.b${n}.c.d`;

export function useStub() {
  const stub = {
    url: '',
    /** What arrived: method, path, headers, body. */
    requests: [],
    /** How many relay requests the browser gave up before they were answered. */
    givenUp: 0,
    /** Answers a request below /qrvey or /api; set by each test. */
    answer: undefined,
    /** Extra headers of the page itself. */
    pageHeaders: {},
    reset() {
      stub.requests = [];
      stub.givenUp = 0;
      stub.pageHeaders = {};
      stub.answer = (_, response) => json(response, 200, { token: opaqueToken(), expires_in: 600 });
    },
  };
  const server = createServer(async (request, response) => {
    const path = request.url.split('?')[0];
    if (path.startsWith('/dist/')) {
      const file = new URL(`../../../${path.slice(1)}`, import.meta.url);
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(await readFile(file));
    } else if (path === '/') {
      response.writeHead(200, { 'content-type': 'text/html', ...stub.pageHeaders }).end(stub.page ?? PAGE);
    } else if (path === '/favicon.ico') {
      response.writeHead(204).end();
    } else {
      const chunks = await request.toArray();
      const seen = {
        method: request.method,
        path,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      stub.requests.push(seen);
      response.on('close', () => {
        if (!response.writableFinished) stub.givenUp += 1;
      });
      await stub.answer(seen, response);
    }
  });
  before(async () => {
    stub.reset();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    stub.url = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return stub;
}

export function json(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function problem(response, status, code, headers = {}) {
  const body = { type: 'about:blank', title: code, status, detail: 'x', code, request_id: 'req-1' };
  json(response, status, body, { 'content-type': 'application/problem+json', ...headers });
}
