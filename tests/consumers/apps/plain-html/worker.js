// Import maps do not reach workers: the file's own URL it is.
import { getComposerToken } from './node_modules/qrvey-auth/dist/index.js';

const tokens = await Promise.all([getComposerToken(), getComposerToken()]);
postMessage([...new Set(tokens)].join(' '));
