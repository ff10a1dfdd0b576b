// Compiled and never run: what the declarations promise to a strict TypeScript project.

import {
  clearTokens,
  configure,
  createClient,
  type DetailedToken,
  getAdminToken,
  getComposerToken,
  QrveyAuthError,
  type QrveyAuthErrorCode,
  type QrveyClient,
  type QrveyClientEvents,
  type TokenOptions,
} from 'qrvey-auth';
import { expectType } from './expect.js';

expectType<Promise<string>>()(getComposerToken(), true);
expectType<Promise<string>>()(getAdminToken({ timeoutMs: 1 }), true);
expectType<Promise<DetailedToken>>()(getComposerToken({ detailedResponse: true }), true);
expectType<Promise<DetailedToken>>()(createClient().getAdminToken({ detailedResponse: true }), true);
declare const options: TokenOptions;
expectType<Promise<string | DetailedToken>>()(getComposerToken(options), true);

// What a client answers follows its defaults, and then the call.
const detailed = createClient({ relay: '/qrvey', detailedResponse: true });
expectType<Promise<DetailedToken>>()(detailed.getComposerToken(), true);
expectType<Promise<DetailedToken>>()(detailed.getAdminToken({ timeoutMs: 1 }), true);
expectType<Promise<string>>()(detailed.getComposerToken({ detailedResponse: false }), true);
expectType<Promise<string | DetailedToken>>()(detailed.getComposerToken(options), true);
const plain: QrveyClient = createClient({ detailedResponse: false });
expectType<Promise<string>>()(plain.getComposerToken(), true);
expectType<Promise<string | DetailedToken>>()(createClient(options).getComposerToken(), true);
declare const maybe: { detailedResponse?: false };
expectType<Promise<string>>()(plain.getComposerToken(maybe), true);
expectType<Promise<string | DetailedToken>>()(detailed.getComposerToken(maybe), true);
// @ts-expect-error its answers are no strings
export const wrong: QrveyClient = detailed;

expectType<void>()(configure({ relay: '/qrvey', retries: 0 }), true);
expectType<void>()(configure({ headers: async () => ({ authorization: 'Bearer …' }) }), true);
expectType<void>()(clearTokens(), true);

const told = ({ detail }: QrveyClientEvents['failed']) => detail.error.code;
plain.addEventListener('failed', told);
plain.removeEventListener('failed', told);

// @ts-expect-error a key that does not exist
getComposerToken({ reley: '/qrvey' });
// @ts-expect-error an admin token has no profile
getAdminToken({ profile: 'default' });
// @ts-expect-error a string is no number of milliseconds
getComposerToken({ timeoutMs: '10' });

export function codeOf(error: unknown): QrveyAuthErrorCode | undefined {
  if (!(error instanceof QrveyAuthError)) return undefined;
  expectType<number | undefined>()(error.retryAfter, true);
  expectType<'QrveyAuthError'>()(error.name, true);
  // @ts-expect-error no such code
  if (error.code === 'nonsense') return undefined;
  return error.code;
}
