/** The host application's own routes: who may sign in, who is signed in, and where the platform is. */

/** What the page says when the host does not answer as it should. */
export class HostError extends Error {
  name = 'HostError';
}

async function call(path, init) {
  let response;
  try {
    response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...init });
  } catch (cause) {
    throw new HostError('The host application does not answer. Is “npm start” still running?', { cause });
  }
  if (response.ok || response.status === 401) return response;
  throw new HostError(`The host application answered ${path} with ${response.status}.`);
}

export const users = async () => (await call('/api/users')).json();

/** `{mode: 'sandbox' | 'real', domain}` */
export const info = async () => (await call('/api/info')).json();

/** The claims of whoever is signed in, or null. */
export async function session() {
  const response = await call('/session');
  return response.ok ? response.json() : null;
}

export async function signIn(userId) {
  await call('/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: userId }),
  });
  return session();
}

export const signOut = () => call('/session', { method: 'DELETE' });
