// What is used is given back: the WebAssembly memory does not grow, the JavaScript heap returns.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useBrowser } from './support/browser.mjs';
import { json, opaqueToken, useStub } from './support/stub.mjs';

const open = useBrowser();
const stub = useStub();

/** More than this is no noise: a leak of any of the things below would be larger. */
const TOLERANCE_BYTES = 400_000;

test('100 000 calls, 1 000 clients and 1 000 aborts leave nothing behind', async () => {
  stub.answer = (_, response) => json(response, 200, { token: opaqueToken(), expires_in: 3_600 });
  const page = await open(stub.url);
  const devtools = await page.context().newCDPSession(page);
  await page.evaluate(async () => {
    WebAssembly.Instance = class extends WebAssembly.Instance {
      constructor(...args) {
        super(...args);
        globalThis.wasmMemory = this.exports.memory;
      }
    };
    globalThis.auth = await import('qrvey-auth');
    globalThis.work = {
      async calls(count) {
        for (let i = 0; i < count; i++) await auth.getComposerToken();
      },
      async clients(count) {
        for (let i = 0; i < count; i++) {
          const client = auth.createClient();
          const stop = new AbortController();
          await client.watch(() => {}, { signal: stop.signal });
          stop.abort();
        }
      },
      async aborts(count) {
        for (let i = 0; i < count; i++) {
          const controller = new AbortController();
          const call = auth.getComposerToken({ forceRefresh: true, signal: controller.signal });
          controller.abort();
          await call.catch(() => {});
        }
      },
    };
    globalThis.load = async () => {
      await work.calls(100_000);
      await work.clients(1_000);
      await work.aborts(1_000);
    };
    // Memory that WebAssembly has once had it keeps: what matters is that the same load needs no more.
    await load();
  });
  const usage = async () => {
    for (let i = 0; i < 5; i++) {
      await devtools.send('HeapProfiler.collectGarbage');
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)));
    }
    const { usedSize } = await devtools.send('Runtime.getHeapUsage');
    return { heap: usedSize, wasm: await page.evaluate(() => wasmMemory.buffer.byteLength) };
  };
  const before = await usage();
  await page.evaluate(() => load());
  const after = await usage();
  assert.equal(after.wasm, before.wasm, 'WebAssembly memory grew');
  const grown = after.heap - before.heap;
  assert.ok(grown < TOLERANCE_BYTES, `the JavaScript heap grew by ${grown} bytes`);
});
