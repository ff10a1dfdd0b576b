// The real thing on real sockets: the stand-in platform and the demo host with the relay mounted.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach } from 'node:test';

const ROOT = new URL('../../../', import.meta.url);

/** Starts the demo, with credentials that can be searched for; `stop()` ends it. */
export const startSandbox = (...args) => start({}, args);

async function start(sandbox, args) {
  Object.assign(sandbox, {
    host: '',
    platform: '',
    /** All that the process wrote. */
    log: '',
    secrets: {
      QRVEY_SANDBOX_API_KEY: `canary-key-${randomBytes(12).toString('hex')}`,
      QRVEY_SANDBOX_ADMIN_USERNAME: `canary-user-${randomBytes(12).toString('hex')}`,
      QRVEY_SANDBOX_ADMIN_ACCESS_KEY: `canary-access-${randomBytes(12).toString('hex')}`,
    },
    /** What reached the platform. */
    journal: () => sandbox.control('GET', 'log'),
    /** The bodies that reached one of its login endpoints. */
    logins: async (target = 'login') =>
      (await sandbox.journal()).entries.filter((entry) => entry.target === target),
    async control(method, path, body) {
      const response = await fetch(`${sandbox.platform}/_sandbox/${path}`, {
        method,
        headers: body && { 'content-type': 'application/json' },
        body: body && JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`/_sandbox/${path}: ${response.status} ${await response.text()}`);
      return response.headers.get('content-type')?.includes('json') ? response.json() : undefined;
    },
    stop: () => child.kill(),
  });
  const ports = ['--listen', '127.0.0.1:0', '--platform-listen', '127.0.0.1:0'];
  const child = spawn('target/debug/qrvey-sandbox', ['demo', ...ports, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...sandbox.secrets, RUST_LOG: 'debug' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    sandbox.log += text;
  });
  const ready = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the sandbox ended with ${code}:\n${sandbox.log}`)));
    child.once('error', reject);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      sandbox.log += text;
      if (text.includes('\n')) resolve(JSON.parse(text));
    });
  });
  return Object.assign(sandbox, { host: ready.host, platform: ready.platform });
}

/**
 * Starts the demo anew for each test of the calling file, so that no relay holds a token from the test
 * before.
 */
export function useSandbox(...args) {
  const sandbox = {};
  beforeEach(() => start(sandbox, args));
  afterEach(() => sandbox.stop?.());
  return sandbox;
}
