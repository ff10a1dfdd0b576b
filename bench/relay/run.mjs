// The relay against an Express relay as Qrvey's samples are, interleaved in one run; see README.md.
//
//   node bench/relay/run.mjs [--rounds 7] [--seconds 4] [--starts 15] [--platform constant|sandbox]
//     [--programs FOLDER]   release builds that are there already, instead of `cargo build`

import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { arch, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { freePort } from '../../tests/e2e/support/port.mjs';
import { print, printStarts } from './report.mjs';
import { endedChildrenCpuMs, machineCpuMs, Server } from './server.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '4' },
    starts: { type: 'string', default: '15' },
    connections: { type: 'string', default: '64' },
    platform: { type: 'string', default: 'constant' },
    programs: { type: 'string' },
  },
});
/** So many that two requests under way are never for one grant, which would then be minted once. */
const USERS = 1000;
/** Takes `rustup target add` and musl-tools; crates/relay/deploy/README.md. */
const STATIC = `${arch() === 'arm64' ? 'aarch64' : 'x86_64'}-unknown-linux-musl`;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const run = promisify(execFile);

const scratch = await mkdtemp(join(tmpdir(), 'qrvey-bench-relay-'));
const started = [];
try {
  await main();
} finally {
  await Promise.all(started.map((server) => server.stop()));
  await rm(scratch, { recursive: true });
}

async function main() {
  await run('wrk', ['--version']).catch((error) => {
    // It has no way to be asked for its version that is no error.
    if (error.code === 'ENOENT') throw new Error('wrk is missing: apt-get install wrk');
  });
  const [programs, express] = await Promise.all([build(), installExpress()]);
  const apiKey = randomUUID();
  const platform = await startPlatform(programs, apiKey);
  const contestants = contestantsOf(programs, express, platform.url, apiKey);

  console.log(`${cpus().length} × ${cpus()[0].model}, Node ${process.version}, load ${load()}`);
  console.log(`platform: ${options.platform}, alone ${await ceilingOf(platform.url, apiKey)} logins/s\n`);

  printStarts(await measureStarts(contestants));
  for (const contestant of contestants) {
    contestant.server = await start(contestant);
    await wrk(contestant, 1);
    await contestant.server.stop();
    // Idle memory is that of a server that has just started and answered once.
    contestant.server = await start(contestant);
    started.push(contestant.server);
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
  for (const contestant of contestants) contestant.idleKib = await contestant.server.residentKib();
  for (const contestant of contestants) await wrk(contestant, 1);

  const own = [platform.server, ...contestants.map(({ server }) => server)];
  const before = await busy(own);
  const began = performance.now();
  for (let round = 0; round < Number(options.rounds); round += 1) {
    // Nobody always comes first, or after the same neighbour.
    for (let place = 0; place < contestants.length; place += 1) {
      await measure(contestants[(place + round) % contestants.length]);
    }
  }
  const after = await busy(own);
  print(contestants);
  const others = after.machine - before.machine - (after.own - before.own);
  const share = others / (performance.now() - began) / cpus().length;
  console.log(`\nother programs took ${Math.round(share * 100)} % of the machine meanwhile; load ${load()}`);
}

function load() {
  return loadavg()
    .map((processes) => processes.toFixed(1))
    .join(' ');
}

async function busy(servers) {
  const times = await Promise.all([...servers.map((server) => server.cpuMs()), endedChildrenCpuMs()]);
  return { own: times.reduce((sum, ms) => sum + ms, 0), machine: await machineCpuMs() };
}

/** Release builds of the relay, its neighbours and the sandbox, by name. */
async function build() {
  if (options.programs) {
    const names = ['qrvey-relay', 'constant', 'qrvey-sandbox'];
    return Object.fromEntries(names.map((name) => [name, join(options.programs, name)]));
  }
  const sandbox = options.platform === 'sandbox' ? ['-p', 'qrvey-sandbox', '--bin', 'qrvey-sandbox'] : [];
  // The relay as its container has it.
  const relay = await cargoBuild(['-p', 'qrvey-relay', '--bin', 'qrvey-relay', '--target', STATIC]);
  return { ...relay, ...(await cargoBuild(['-p', 'qrvey-relay', '--example', 'constant', ...sandbox])) };
}

async function cargoBuild(what) {
  const cargo = ['build', '--release', '--message-format=json-render-diagnostics'];
  const child = spawn('cargo', [...cargo, ...what], {
    cwd: here('../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const over = new Promise((resolve) => child.once('close', resolve));
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) text += chunk;
  if ((await over) !== 0) throw new Error('cargo build failed');
  const built = text
    .split('\n')
    .filter(Boolean)
    .map(JSON.parse)
    .filter((message) => message.executable);
  return Object.fromEntries(built.map(({ target, executable }) => [target.name, executable]));
}

async function installExpress() {
  const folder = join(scratch, 'express');
  await cp(here('express'), folder, { recursive: true });
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder });
  return join(folder, 'server.js');
}

async function startPlatform(programs, apiKey) {
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const command =
    options.platform === 'sandbox'
      ? [programs['qrvey-sandbox'], 'platform', '--listen', address]
      : [programs.constant, address];
  // Its log of each request would be a load of its own.
  const environment = { QRVEY_SANDBOX_API_KEY: apiKey, RUST_LOG: 'error' };
  const server = await Server.start({ command, environment, url, log: join(scratch, 'platform.log') });
  started.push(server);
  return { server, url };
}

function contestantsOf(programs, express, platformUrl, apiKey) {
  const relay = (name, lifetimePercent) => ({
    name,
    form: 'relay',
    path: '/qrvey/composer-token',
    operations: true,
    healthPath: '/healthz',
    prepare: (port, operationsPort) => ({
      command: [programs['qrvey-relay'], 'serve', '--config', here('relay.toml')],
      environment: {
        QRVEY_API_KEY: apiKey,
        QRVEY_RELAY__LISTEN: `127.0.0.1:${port}`,
        QRVEY_RELAY__OPERATIONS_LISTEN: `127.0.0.1:${operationsPort}`,
        QRVEY_RELAY__QRVEY__DOMAIN: platformUrl,
        QRVEY_RELAY__REUSE__LIFETIME_PERCENT: String(lifetimePercent),
      },
    }),
  });
  return [
    {
      name: 'express',
      form: 'express',
      path: '/api/generate-qrvey-token',
      healthPath: '/',
      prepare: (port) => ({
        command: [process.execPath, express],
        environment: {
          NODE_ENV: 'production',
          PORT: String(port),
          QRVEY_DOMAIN: platformUrl,
          QRVEY_API_KEY: apiKey,
          QRVEY_USER_ID: 'builder',
          QRVEY_APP_ID: 'orders-app',
        },
      }),
    },
    relay('forward', 0),
    relay('reuse', 80),
    {
      name: 'constant',
      form: 'relay',
      path: '/',
      healthPath: '/',
      prepare: (port) => ({ command: [programs.constant, `127.0.0.1:${port}`], environment: {} }),
    },
  ].map((contestant) => ({ ...contestant, samples: [] }));
}

async function start(contestant) {
  const [port, operationsPort] = [await freePort(), await freePort()];
  contestant.url = `http://127.0.0.1:${port}${contestant.path}`;
  return Server.start({
    ...contestant.prepare(port, operationsPort),
    url: `http://127.0.0.1:${contestant.operations ? operationsPort : port}${contestant.healthPath}`,
    log: join(scratch, `${contestant.name}.log`),
  });
}

/** Milliseconds from the start of the process to its first answer, interleaved. */
async function measureStarts(contestants) {
  const starts = contestants.filter(({ name }) => name !== 'reuse').map(({ name }) => ({ name, ms: [] }));
  for (let round = 0; round < Number(options.starts); round += 1) {
    for (const { name, ms } of starts) {
      const server = await start(contestants.find((contestant) => contestant.name === name));
      ms.push(server.startMs);
      await server.stop();
    }
  }
  return starts;
}

async function measure(contestant) {
  const { server } = contestant;
  const cpuBefore = await server.cpuMs();
  const load = await wrk(contestant, Number(options.seconds));
  const cpuMs = (await server.cpuMs()) - cpuBefore;
  if (load.failed > 0)
    throw new Error(`${contestant.name} failed ${load.failed} of ${load.requests} requests`);
  contestant.samples.push({
    perSecond: (load.requests / load.duration_us) * 1e6,
    p50Ms: load.p50_us / 1000,
    p99Ms: load.p99_us / 1000,
    cpuMsPer1000: (cpuMs / load.requests) * 1000,
    loadedKib: await server.residentKib(),
  });
}

async function wrk({ url, form }, seconds, apiKey = '') {
  const { stdout } = await run('wrk', [
    ...['-t1', `-c${options.connections}`, `-d${seconds}s`, '--latency', '-s', here('load.lua'), url],
    ...['--', form, String(USERS), apiKey],
  ]);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

/** What the platform answers when asked without a relay between. */
async function ceilingOf(url, apiKey) {
  const load = await wrk({ form: 'login', url: `${url}/devapi/v4/core/login/token` }, 2, apiKey);
  return Math.round((load.requests / load.duration_us) * 1e6);
}
