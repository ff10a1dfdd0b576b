// Prints the token of the relay that is named on the command line, or the code of the error.

import { getComposerToken } from 'qrvey-auth';

const relay = process.argv[2];
let outcome;
try {
  const tokens = await Promise.all([getComposerToken({ relay }), getComposerToken({ relay })]);
  outcome = { token: [...new Set(tokens)].join(' ') };
} catch ({ code, message }) {
  outcome = { code, message };
}
// Sockets are left to Node, which keeps them for a while for anyone who calls `fetch`.
const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
console.log(JSON.stringify({ ...outcome, timers }));
