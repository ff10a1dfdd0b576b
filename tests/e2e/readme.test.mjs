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
const page = (script) => `<!doctype html><meta charset="utf-8">
  <script type="importmap">{"imports":{"qrvey-auth":"/qrvey-auth/index.js"}}</script>
  <body><div id="dashboard"></div><script type="module">${script}</script>`;
const [embedding, fetching] = snippets('js');
writeFileSync(join(folder, 'index.html'), page(embedding));
writeFileSync(join(folder, 'token.html'), page(fetching));

const open = useBrowser();
const sandbox = useSandbox('--www', folder);

/** The README's code blocks in one language. */
function snippets(language) {
  return readme
    .split('```')
    .filter((block) => block.startsWith(`${language}\n`))
    .map((block) => block.slice(language.length + 1));
}

/** The tenants whose rows a page of the README shows to Cleo. */
async function tenantsShown(path, launcher) {
  const page = await open(`${sandbox.host}/api/info`);
  await page.evaluate(async () => {
    const headers = { 'content-type': 'application/json' };
    await fetch('/session', { method: 'POST', headers, body: '{"user":"cleo"}' });
  });
  await page.goto(`${sandbox.host}${path}`);
  if (launcher) await page.addScriptTag({ url: `${sandbox.platform}/${launcher}` });
  const rows = page.locator('qrvey-end-user tr[data-tenant]');
  await rows.first().waitFor();
  return rows.evaluateAll((all) => [...new Set(all.map((row) => row.dataset.tenant))]);
}

test('the two lines that embed a widget show it with the tenant’s rows', async () => {
  assert.deepEqual(await tenantsShown('/'), ['basalt']);
});

test('so do the lines that take the token alone, beside the launcher', async () => {
  assert.deepEqual(await tenantsShown('/token.html', 'widgets-launcher/app.js'), ['basalt']);
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
