// A line to a server that can be cut: what goes through it is lost, and nobody answers at its end.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { freePort } from '../../e2e/support/port.mjs';

/** A line to the server of this URL; the page uses `url` instead. */
export async function lineTo(target) {
  const { hostname, port } = new URL(target);
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(port, hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  const own = await freePort();
  const listen = async () => {
    server.listen(own, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen();
  return {
    url: `http://127.0.0.1:${own}`,
    cut() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
    mend: listen,
  };
}
