import { getComposerToken } from 'qrvey-auth';

async function show() {
  const tokens = await Promise.all([getComposerToken(), getComposerToken()]);
  document.querySelector('output').textContent = [...new Set(tokens)].join(' ');
}
show();
