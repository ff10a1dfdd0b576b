// The door to every command: makes sure that Rust is there, then hands over to xtask.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) stop(`Node 20 or later is needed; this is ${process.version}. See https://nodejs.org`);

const cargo = spawnSync('cargo', ['--version'], { encoding: 'utf8' });
if (cargo.error || cargo.status !== 0) {
  stop('Rust is missing: `cargo` cannot be run. Install it from https://rustup.rs and open a new terminal.');
}
// An older cargo stumbles over the manifests before it comes to the version that they ask for.
const [, wanted] = readFileSync(new URL('../../Cargo.toml', import.meta.url), 'utf8').match(
  /^rust-version = "(.+)"/m,
);
const [, found] = cargo.stdout.match(/^cargo (\S+)/) ?? [];
if (found?.localeCompare(wanted, 'en', { numeric: true }) < 0) {
  stop(`Rust ${wanted} or later is needed; this is ${found}. Run \`rustup update\`.`);
}

const args = ['run', '--quiet', '--package', 'xtask', '--', ...process.argv.slice(2)];
console.log('• preparing the build tool (the first time takes a minute or two)');
// Wherever a machine's settings would have it: what is built is looked for here.
const CARGO_TARGET_DIR = fileURLToPath(new URL('../../target', import.meta.url));
const child = spawnSync('cargo', args, { stdio: 'inherit', env: { ...process.env, CARGO_TARGET_DIR } });
process.exit(child.status ?? 1);

function stop(message) {
  console.error(`✗ ${message}`);
  process.exit(1);
}
