// Compiled and never run: what the declarations promise to a strict TypeScript project.

import {
  type AnyClient,
  clearTokens,
  configure,
  createClient,
  type DetailedToken,
  getAdminToken,
  getComposerToken,
  QrveyAuthError,
  type QrveyAuthErrorCode,
  type QrveyClient,
  type TokenOptions,
} from 'qrvey-auth';
import { expectType } from './expect-type.js';

expectType<Promise<string>>()(getComposerToken(), true);
expectType<Promise<string>>()(getAdminToken({ timeoutMs: 1 }), true);
expectType<Promise<DetailedToken>>()(getComposerToken({ detailedResponse: true }), true);
expectType<Promise<DetailedToken>>()(createClient().getAdminToken({ detailedResponse: true }), true);
const detailed = createClient({ detailedResponse: true, relay: '/qrvey' });
expectType<Promise<DetailedToken>>()(detailed.getComposerToken(), true);
expectType<Promise<DetailedToken>>()(detailed.getAdminToken({ timeoutMs: 1 }), true);
expectType<Promise<string>>()(detailed.getComposerToken({ detailedResponse: false }), true);
expectType<Promise<string>>()(createClient({ retries: 0 }).getComposerToken({ retries: 1 }), true);
const plain: QrveyClient = createClient();
plain.configure({ relay: '/other' });
detailed.configure({ relay: '/other', detailedResponse: true });
// @ts-expect-error what its calls resolve to would change
plain.configure({ detailedResponse: true });
// @ts-expect-error the same for the page's default client
configure({ detailedResponse: true });
const clients: AnyClient[] = [plain, detailed];

export { clients };

declare const options: TokenOptions;
expectType<Promise<string | DetailedToken>>()(createClient(options).getComposerToken(), true);
expectType<Promise<string | DetailedToken>>()(getComposerToken(options), true);
expectType<void>()(configure({ relay: '/qrvey', retries: 0 }), true);
expectType<void>()(clearTokens(), true);

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
