// A server under measurement: started, awaited, weighed through /proc, and stopped again.

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';

/** Linux counts processor time in hundredths of a second, whatever the kernel's own tick. */
const MS_PER_TICK = 10;
const START_LIMIT_MS = 30_000;

export class Server {
  #child;

  /** Starts `[program, ...arguments]` and waits for the first answer of `url`, whatever it says. */
  static async start({ command: [program, ...rest], environment, url, log }) {
    const server = new Server();
    const output = openSync(log, 'a');
    const start = performance.now();
    server.#child = spawn(program, rest, {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    while (!(await answers(url))) {
      if (server.#child.exitCode !== null || performance.now() - start > START_LIMIT_MS) {
        throw new Error(`${program} does not answer at ${url}; its output is in ${log}`);
      }
    }
    server.startMs = performance.now() - start;
    return server;
  }

  async stop() {
    const over = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await over;
  }

  async cpuMs() {
    const [userTicks, systemTicks] = (await statFields(this.#child.pid)).slice(11, 13);
    return (Number(userTicks) + Number(systemTicks)) * MS_PER_TICK;
  }

  async residentKib() {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)[1]);
  }
}

/** Processor time of this process's children that have ended: of the load generator, that is. */
export async function endedChildrenCpuMs() {
  const [userTicks, systemTicks] = (await statFields('self')).slice(13, 15);
  return (Number(userTicks) + Number(systemTicks)) * MS_PER_TICK;
}

/** Processor time that the whole machine has been busy. */
export async function machineCpuMs() {
  const line = (await readFile('/proc/stat', 'utf8')).split('\n', 1)[0];
  const [user, nice, system, , , irq, softIrq] = line.trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softIrq) * MS_PER_TICK;
}

/** The fields of `stat` from the third on: the second, the program's name, may hold spaces. */
async function statFields(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function answers(url) {
  return new Promise((resolve) => {
    const asked = request(url, { agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(true));
    });
    asked.once('error', () => setImmediate(resolve, false));
    asked.end();
  });
}
