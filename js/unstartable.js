/** What the error says when a WebAssembly instance cannot be started. */
export const UNSTARTABLE = {
  code: 'module_load_failed',
  message:
    "the WebAssembly module cannot be started: a Content-Security-Policy must have 'wasm-unsafe-eval' in its script-src, and a page with a bundle in a classic script must declare its charset, utf-8",
  retryable: true,
};
