// Runs wasm-bindgen tests in Firefox: cargo calls it with the compiled tests in place of a runner
// (CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER). The tests are served by the repository's own runner.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { launch } from './support/firefox.mjs';

const TIME_LIMIT_MS = 120_000;
const XTASK = fileURLToPath(new URL('../../target/debug/xtask', import.meta.url));

const server = spawn(process.env.XTASK ?? XTASK, ['wasm-test-runner', ...process.argv.slice(2)], {
  env: { ...process.env, NO_HEADLESS: '1', WASM_BINDGEN_TEST_ADDRESS: '127.0.0.1:0' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
process.once('exit', () => server.kill());

const url = await address();
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector('#output')?.textContent.includes('test result: '), {
    timeout: TIME_LIMIT_MS,
  });
  const text = await page.$eval('#output', (element) => element.textContent);
  console.log(`in ${await browser.version()}\n${text}`);
  process.exitCode = text.includes('test result: ok') ? 0 : 1;
} finally {
  await browser.close();
  server.kill();
}

/** Where the server says that it serves the tests. */
function address() {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('close', (code) => reject(new Error(`the test server ended with ${code}`)));
    createInterface({ input: server.stdout }).on('line', (line) => {
      const [url] = line.match(/http:\/\/\S+/) ?? [];
      if (url) resolve(url);
    });
  });
}
