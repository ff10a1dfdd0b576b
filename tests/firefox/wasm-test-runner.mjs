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
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(await address(server));
  const output = '#output';
  await page.waitForFunction(
    (output) => document.querySelector(output)?.textContent.includes('test result: '),
    { timeout: TIME_LIMIT_MS },
    output,
  );
  const text = await page.$eval(output, (element) => element.textContent);
  console.log(`in ${await browser.version()}\n${text}`);
  process.exitCode = text.includes('test result: ok') ? 0 : 1;
} finally {
  await browser.close();
  server.kill();
}

async function address({ stdout }) {
  const lines = createInterface({ input: stdout });
  for await (const line of lines) {
    const [url] = line.match(/http:\/\/\S+/) ?? [];
    if (url) return url;
  }
  throw new Error('the test server ended before it served anything');
}
