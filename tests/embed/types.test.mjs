import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { installApps } from './support/apps.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

test('the declarations hold in a strict project', () => {
  installApps();
  execFileSync('node_modules/.bin/tsc', ['-p', 'tests/embed/types'], { cwd: ROOT, stdio: 'inherit' });
});
