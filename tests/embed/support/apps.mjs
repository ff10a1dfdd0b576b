// The frameworks that the applications in `apps/` are built with, each in the versions of its lock file.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Installs what is missing. */
export function installApps() {
  for (const app of ['gallery', 'react-18', 'react-19', 'vue', 'zone']) {
    const cwd = new URL(`../apps/${app}/`, import.meta.url);
    if (existsSync(new URL('node_modules', cwd))) continue;
    execFileSync('npm', ['ci', '--no-fund', '--no-audit', '--ignore-scripts'], { cwd });
  }
}
