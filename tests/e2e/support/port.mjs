// Ports for servers that must be told theirs, or that come back to it.

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Linux gives the ports from 32 768 on to connections, so that one let go of may not be free any more. */
const [FIRST, END] = [20_000, 32_768];

/** A port of 127.0.0.1 that nobody gets who does not ask for it by number. */
export async function freePort() {
  for (;;) {
    const port = randomInt(FIRST, END);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if (error.code === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
