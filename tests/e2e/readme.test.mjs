// What the README shows is what works: its snippets are run as they stand.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { useBrowser } from './support/browser.mjs';
import { useSandbox } from './support/sandbox.mjs';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'readme-'));
writeFileSync(
  join(folder, 'index.html'),
  `<!doctype html><script type="importmap">{"imports":{"qrvey-auth":"/qrvey-auth/index.js"}}</script>
  <body><script type="module">${snippets('js')[0]}</script>`,
);

const open = useBrowser();
const sandbox = useSandbox('--www', folder);

/** The README's code blocks in one language. */
function snippets(language) {
  return readme
    .split('```')
    .filter((block) => block.startsWith(`${language}\n`))
    .map((block) => block.slice(language.length + 1));
}

test('the page of the README shows a widget with the tenant’s rows', async () => {
  const page = await open(`${sandbox.host}/api/info`);
  await page.evaluate(async () => {
    const headers = { 'content-type': 'application/json' };
    await fetch('/session', { method: 'POST', headers, body: '{"user":"cleo"}' });
  });
  await page.goto(sandbox.host);
  await page.addScriptTag({ url: `${sandbox.platform}/widgets-launcher/app.js` });
  const rows = page.locator('qrvey-end-user tr[data-tenant]');
  await rows.first().waitFor();
  const tenants = await rows.evaluateAll((all) => [...new Set(all.map((row) => row.dataset.tenant))]);
  assert.deepEqual(tenants, ['basalt']);
});

test('the relay.toml of the README is accepted and does what it says', () => {
  writeFileSync(join(folder, 'relay.toml'), snippets('toml')[0]);
  writeFileSync(join(folder, 'ada.json'), '{"sub":"ada","tenants":["aurora"]}');
  const explain = ['explain', '--config', 'relay.toml', '--claims', 'ada.json'];
  const printed = execFileSync(new URL('target/debug/qrvey-relay', root).pathname, explain, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, QRVEY_API_KEY: 'canary' },
  });
  assert.match(printed, /"clientid": "ada"/);
  assert.match(printed, /"aurora"/);
  assert.ok(!printed.includes('canary'));
});
