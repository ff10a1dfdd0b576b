// Runs other programs, and says all that a person needs when one fails.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../../e2e/support/port.mjs';

const ENVIRONMENT = {
  ...process.env,
  CI: 'true',
  NEXT_TELEMETRY_DISABLED: '1',
  NG_CLI_ANALYTICS: 'false',
  NO_COLOR: '1',
};
// Set by `node --test` for its own children; a test's programs are none of them.
delete ENVIRONMENT.NODE_TEST_CONTEXT;

/** Runs a program to its end and returns what it printed; throws if it fails. */
export async function run(folder, program, ...given) {
  const child = start(folder, program, given);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${said(child, `ended with ${code}`)}`);
  return child.stdout.text;
}

/** Starts a program that serves HTTP on the port that `given` makes arguments of; stops it with the test. */
export async function serve(t, folder, program, given) {
  const port = await freePort();
  const child = start(folder, program, given(port), { detached: true });
  // The whole process group: npm, the shell below it, and the server below that.
  const stop = () => child.exitCode === null && process.kill(-child.pid);
  process.once('exit', stop);
  t.after(async () => {
    process.off('exit', stop);
    if (stop()) await once(child, 'close');
  });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (child.exitCode !== null) throw new Error(said(child, `ended with ${child.exitCode}`));
    const answered = await fetch(url)
      .then((response) => response.arrayBuffer())
      .catch(() => undefined);
    if (answered) return url;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(said(child, `does not answer at ${url}`));
}

function start(cwd, program, given, options) {
  const child = spawn(program, given, {
    cwd,
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.text = '';
    stream.setEncoding('utf8').on('data', (text) => {
      stream.text += text;
    });
  }
  child.command = `${[program, ...given].join(' ')}\n  in ${cwd}`;
  return child;
}

function said(child, what) {
  const lines = `${child.stdout.text}\n${child.stderr.text}`.trim().split('\n');
  return `${child.command}\n  ${what}:\n${lines.slice(-60).join('\n')}`;
}
