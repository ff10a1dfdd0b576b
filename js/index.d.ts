/**
 * Qrvey security tokens for web pages.
 *
 * ```js
 * import { getComposerToken } from 'qrvey-auth';
 * window.dashboard = { domain: 'https://tenant.qrvey.example', qvToken: await getComposerToken() };
 * ```
 *
 * Importing has no side effect, in a browser or elsewhere. Tokens are kept in memory only.
 *
 * With `globalThis.QRVEY_AUTH_DEBUG = true` each call's outcome and each event is written to
 * `console.debug`: kinds, codes and times, never a token.
 */

import type { embed } from './embed.js';

export type {
  CommonSettings,
  EmbeddedWidget,
  EmbedEvents,
  EmbedListeners,
  EmbedOptions,
  SinglePanelSettings,
  WebFormDesignSettings,
  WebFormSettings,
  WidgetName,
  WidgetSettings,
} from './embed.js';
export { embed } from './embed.js';

/**
 * The Composer token, for the `qvToken` of a widget. Resolves at once to the token already held if
 * it lives long enough; any number of calls at the same time make one request to the relay.
 *
 * @throws {QrveyAuthError} The promise rejects with one, or with the caller's own `signal.reason`.
 */
export const getComposerToken: TokenFunction<TokenOptions, string>;

/** The Admin Center token. Otherwise as {@link getComposerToken}. */
export const getAdminToken: TokenFunction<AdminTokenOptions, string>;

/** Resolves to `Answer`, which is the client's default, unless the call itself says `detailedResponse`. */
export interface TokenFunction<Options extends AdminTokenOptions, Answer extends string | DetailedToken> {
  (options: Options & { detailedResponse: true }): Promise<DetailedToken>;
  (options: Options & { detailedResponse: false }): Promise<string>;
  (options?: Options & { detailedResponse?: undefined }): Promise<Answer>;
  (options?: Options & { detailedResponse?: false }): Promise<Answer | string>;
  (options?: Options): Promise<string | DetailedToken>;
}

/**
 * Calls back with the token at hand and with each that follows, before the one in use ends: for those
 * who feed an API client of their own. Renewal goes on until `options.signal` aborts; all who watch
 * the same token share it. A renewal that fails calls nobody back: the client fires `failed`, waits,
 * and tries again, except after a 401, 403 or unknown profile.
 *
 * @returns Resolves after the first call; rejects, and watches no more, if there is no first token.
 */
export function watch(callback: (token: DetailedToken) => void, options?: WatchOptions): Promise<void>;

/**
 * Sets what the page's default client assumes where a call says nothing; replaces what was set
 * before. A mistake in it is reported by the calls that follow. Types do not follow a `detailedResponse`
 * that is set here: give it to `createClient`, or to each call.
 */
export function configure(defaults: TokenOptions): void;

/**
 * A client with defaults and tokens of its own, for several tenants or users on one page. The types of
 * its answers follow these defaults.
 */
export function createClient(defaults: TokenOptions & { detailedResponse: true }): QrveyClient<DetailedToken>;
export function createClient(defaults?: TokenOptions & { detailedResponse?: false }): QrveyClient;
export function createClient(defaults?: TokenOptions): QrveyClient<string | DetailedToken>;

/**
 * To be called at sign-out: forgets every token of the default client, in all tabs, cancels its
 * requests, and rejects the calls that wait for them with `not_signed_in`. No later answer revives a token.
 */
export function clearTokens(): void;

/**
 * The functions of this module over one set of defaults and one set of tokens. Its events tell what
 * becomes of watched tokens:
 *
 * | event | when |
 * |---|---|
 * | `expiring` | the time to renew has come; the token is still good |
 * | `renewed` | a new token has taken its place |
 * | `failed` | a renewal failed; `error` says why, `retryInMs` when the next one is due, if one is |
 * | `expired` | the token has ended with no other in its place |
 */
export interface QrveyClient<Answer extends string | DetailedToken = string>
  extends TypedEventTarget<QrveyClientEvents> {
  watch: typeof watch;
  embed: typeof embed;
  getComposerToken: TokenFunction<TokenOptions, Answer>;
  getAdminToken: TokenFunction<AdminTokenOptions, Answer>;
  /** As {@link configure}: it should leave `detailedResponse` as `createClient` was given it. */
  configure(defaults: TokenOptions): void;
  clearTokens(): void;
}

/** An `EventTarget` that knows the types of its events. */
export interface TypedEventTarget<Events> extends EventTarget {
  addEventListener<Type extends keyof Events>(
    type: Type,
    listener: (this: this, event: Events[Type]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof Events>(
    type: Type,
    listener: (this: this, event: Events[Type]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** The events of a {@link QrveyClient}, which says when each is fired. */
export interface QrveyClientEvents {
  expiring: CustomEvent<TokenEvent>;
  renewed: CustomEvent<TokenEvent>;
  failed: CustomEvent<TokenEvent & { error: QrveyAuthError; retryInMs?: number }>;
  expired: CustomEvent<TokenEvent>;
}

/** Which token an event is about; never the token itself. */
export interface TokenEvent {
  kind: 'composer' | 'admin';
  profile?: string;
  /** When the token ends, or has ended, in milliseconds since the epoch by this browser's clock. */
  expiresAt?: number;
}

/** What {@link watch} takes. */
export interface WatchOptions extends TokenOptions {
  /** Which token. Default `composer`. */
  kind?: 'composer' | 'admin';
}

/** What {@link getAdminToken} takes. */
export type AdminTokenOptions = Omit<TokenOptions, 'profile'>;

/** Unknown keys and values of the wrong type are rejected with `invalid_options`, naming the key. */
export interface TokenOptions {
  /** The relay's base URL; its own paths are added to it. Default `/qrvey`. */
  relay?: string;
  /**
   * The full URL of a token endpoint with a path of its own, instead of `relay`: any that takes a
   * JSON `POST` and answers `{"token": "…"}`.
   */
  endpoint?: string;
  /** The JSON body that `endpoint` wants; default `{}`. */
  body?: object;
  /** The name of a profile in the relay's configuration. Default `default`. */
  profile?: string;
  /**
   * Request headers, for instance an `Authorization` that the relay's identity mode reads. A function is asked
   * for them before each request, renewals included, and so keeps up with a bearer token that changes. All calls
   * with a function share their tokens, whatever it gives, as with cookies: `clearTokens()` when the user changes.
   */
  headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>);
  /** As for `fetch`. Default `same-origin`; a relay on another origin needs `include`. */
  credentials?: RequestCredentials;
  /** How long this call may take in milliseconds, retries included. Default 10 000. */
  timeoutMs?: number;
  /**
   * How often to ask again after a network failure, 429, 502, 503 or 504: with full-jitter
   * exponential backoff, and not before the relay's `Retry-After`. 0 to 10, default 2.
   */
  retries?: number;
  /**
   * Ends this call: it rejects with the signal's own reason. The request is cancelled when the last
   * call that waits for it has gone.
   */
  signal?: AbortSignal;
  /** Ask for a new token even if one is held; tells the relay, too, not to answer with one it holds. */
  forceRefresh?: boolean;
  /**
   * A held token with less time left than this, in milliseconds, is renewed first. Default 10 000,
   * or a fifth of the token's lifetime where that is shorter.
   */
  minLifetimeMs?: number;
  /**
   * The token's lifetime in milliseconds, for an endpoint that does not tell it and whose tokens
   * cannot be read. Without it such a token is handed out once for each request.
   */
  lifetimeMs?: number;
  /**
   * Let one tab of this origin renew a watched token for all, in memory, and let `clearTokens()` in
   * one reach all that use the same relay. A tab takes a token from another only under the grant that
   * the relay named to it itself, so users never mix. Default true.
   */
  shareTabs?: boolean;
  /** Resolve to a {@link DetailedToken} instead of the token alone. Default false. */
  detailedResponse?: boolean;
}

/** A token, and what is known of it. */
export interface DetailedToken {
  token: string;
  /** When the token ends, in milliseconds since the epoch by this browser's clock; absent if unknown. */
  expiresAt?: number;
  /** The Qrvey origin that the relay names for browsers. */
  domain?: string;
}

/** What went wrong. Never contains a token, a credential or any part of a response body. */
export class QrveyAuthError extends Error {
  constructor(details: QrveyAuthErrorDetails, cause?: unknown);
  readonly name: 'QrveyAuthError';
  /** Stable; the message is for people and may change. */
  readonly code: QrveyAuthErrorCode;
  /** The HTTP status of the relay's answer, if there was one. */
  readonly status?: number;
  /** Whether the same call may succeed later with nothing changed on this side. */
  readonly retryable: boolean;
  /** Seconds that the relay asks to wait before the next call. */
  readonly retryAfter?: number;
  /** Finds the request in the relay's log. */
  readonly requestId?: string;
  /** What the browser threw, if that is why. */
  readonly cause?: unknown;
}

/** What a {@link QrveyAuthError} is made of. */
export interface QrveyAuthErrorDetails {
  code: QrveyAuthErrorCode;
  message: string;
  status?: number;
  retryable?: boolean;
  retryAfter?: number;
  requestId?: string;
}

/**
 * | code | meaning |
 * |---|---|
 * | `invalid_options` | an option is unknown or has a wrong value; the message names it |
 * | `not_signed_in` | 401, or `clearTokens()` while waiting |
 * | `forbidden` | 403: this user may not, or this page's origin may not |
 * | `unknown_profile` | 404: the relay has no such profile, or no admin section |
 * | `rate_limited` | 429: see `retryAfter` |
 * | `relay_unreachable` | no answer: offline, wrong address, CORS or connect-src |
 * | `relay_error` | the relay answered with any other failure |
 * | `upstream_unavailable` | 502, 503, 504: the Qrvey platform fails or is out of reach |
 * | `invalid_response` | a success without a usable token |
 * | `timeout` | no answer within `timeoutMs` |
 * | `unsupported_environment` | `fetch`, `WebAssembly` or `AbortController` is missing, or a relative URL has no page to start from |
 * | `module_load_failed` | the WebAssembly instance could not be started |
 * | `widget_load_failed` | a widget's script could not be loaded |
 * | `internal` | a fault in this module; the next call starts afresh |
 */
export type QrveyAuthErrorCode =
  | 'invalid_options'
  | 'not_signed_in'
  | 'forbidden'
  | 'unknown_profile'
  | 'rate_limited'
  | 'relay_unreachable'
  | 'relay_error'
  | 'upstream_unavailable'
  | 'invalid_response'
  | 'timeout'
  | 'unsupported_environment'
  | 'module_load_failed'
  | 'widget_load_failed'
  | 'internal';
