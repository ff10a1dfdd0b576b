/** The one error of the module; see `index.d.ts`. */
export class QrveyAuthError extends Error {
  constructor({ code, message, status, retryable = false, retryAfter, requestId }, cause) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
    if (status !== undefined) this.status = status;
    if (retryAfter !== undefined) this.retryAfter = retryAfter;
    if (requestId !== undefined) this.requestId = requestId;
  }

  get name() {
    return 'QrveyAuthError';
  }
}
