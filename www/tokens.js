/**
 * The page's calls of qrvey-auth, each one told to the timeline. The token itself goes to the widget
 * and nowhere else; what is shown of it is its length and the time it has left.
 */
import { clearTokens, getAdminToken, getComposerToken } from 'qrvey-auth';
import * as format from './format.js';
import { showLifetime } from './lifetime.js';
import { requestCount, settledRequestCount } from './requests.js';
import { openEntry } from './timeline.js';

const functions = {
  composer: { name: 'Composer token', get: getComposerToken },
  admin: { name: 'Admin Center token', get: getAdminToken },
};

const DEFAULT_PROFILE = 'default';
const WIDGET_KEY = `composer ${DEFAULT_PROFILE}`;

/** The last token of each kind and profile, only to be compared with the next. */
const last = new Map();
let calls = 0;
let onCalls = () => {};

export function countCalls(listener) {
  onCalls = listener;
}

function called(times) {
  calls += times;
  onCalls(calls);
}

/**
 * Asks for a token and says in the timeline what came of it. Rejects as the module does.
 *
 * @returns {Promise<{ token: string, expiresAt?: number, domain?: string }>}
 */
export async function ask(kind, options = {}) {
  const { get } = functions[kind];
  const name = functions[kind].name + (options.profile ? ` for “${options.profile}”` : '');
  const entry = openEntry(`Asking for ${kind === 'admin' ? 'an' : 'a'} ${name}`);
  const requestsBefore = requestCount();
  const started = performance.now();
  called(1);
  try {
    const answer = await get({ ...options, detailedResponse: true });
    const durationMs = performance.now() - started;
    const key = `${kind} ${options.profile ?? DEFAULT_PROFILE}`;
    const before = last.get(key);
    last.set(key, answer.token);
    // The ring is about the token that the widget uses.
    if (key === WIDGET_KEY) showLifetime(answer);
    settledRequestCount().then((requests) => {
      entry.close({ ...outcome(name, answer, before, requests - requestsBefore), durationMs });
    });
    return answer;
  } catch (error) {
    entry.close(failure(error, performance.now() - started));
    throw error;
  }
}

function outcome(name, answer, before, requests) {
  const left =
    answer.expiresAt === undefined
      ? 'lifetime unknown'
      : `${format.lifetime(answer.expiresAt - Date.now())} left`;
  const facts = `${left}, ${format.count(answer.token.length)} characters`;
  if (answer.token === before && requests === 0) {
    return { kind: 'reused', title: 'Reused from memory', detail: `No request. ${facts}.` };
  }
  if (answer.token === before) {
    return { kind: 'answered', title: `The relay answered with the same ${name}`, detail: `${facts}.` };
  }
  if (before) return { kind: 'renewed', title: `${name} renewed`, detail: `${facts}.` };
  return { kind: 'answered', title: `${name} received`, detail: `${facts}.` };
}

/** An error as an entry: its stable code, and the message that says what to do. */
export function failure(error, durationMs) {
  const aborted = error?.name === 'AbortError';
  return {
    kind: aborted ? 'cancelled' : 'failed',
    title: aborted ? 'Cancelled by this page' : 'Refused',
    code: error?.code === undefined || aborted ? undefined : String(error.code),
    detail: error?.message ?? 'Something that is not an error was thrown.',
    requestId: error?.requestId,
    durationMs,
  };
}

/** Many calls in one turn, none of which may be answered from memory. */
export async function askAtOnce(times) {
  const entry = openEntry(`Asking ${format.count(times)} times at once`);
  const requestsBefore = requestCount();
  const started = performance.now();
  called(times);
  const answers = await Promise.allSettled(
    Array.from({ length: times }, () => getComposerToken({ forceRefresh: true, detailedResponse: true })),
  );
  const durationMs = performance.now() - started;
  const refused = answers.find(({ status }) => status === 'rejected');
  if (refused) return entry.close(failure(refused.reason, durationMs));
  const distinct = new Set(answers.map(({ value }) => value.token)).size;
  const [{ value: answer }] = answers;
  last.set(WIDGET_KEY, answer.token);
  showLifetime(answer);
  const requests = (await settledRequestCount()) - requestsBefore;
  entry.close({
    kind: 'shared',
    title: `${format.count(times)} calls, ${format.plural(requests, 'request')}`,
    detail: `Every call got ${distinct === 1 ? 'the same token' : format.plural(distinct, 'token')}.`,
    durationMs,
  });
}

/** At sign-out: the module forgets its tokens, and so does this page. */
export function forget() {
  clearTokens();
  last.clear();
  showLifetime(null);
}
