import { getComposerToken } from 'qrvey-auth';

async function ask() {
  const tokens = await Promise.all([getComposerToken(), getComposerToken()]);
  postMessage([...new Set(tokens)].join(' '));
}
ask();
