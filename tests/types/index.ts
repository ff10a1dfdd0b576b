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
  type TokenOptions,
} from 'qrvey-auth';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expectType<Expected>() {
  return <Actual>(_value: Actual, _same: Equal<Expected, Actual>): void => {};
}

expectType<Promise<string>>()(getComposerToken(), true);
expectType<Promise<string>>()(getAdminToken({ timeoutMs: 1 }), true);
expectType<Promise<DetailedToken>>()(getComposerToken({ detailedResponse: true }), true);
expectType<Promise<DetailedToken>>()(createClient().getAdminToken({ detailedResponse: true }), true);
declare const options: TokenOptions;
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
