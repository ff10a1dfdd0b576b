// Qrvey's own scripts: each is loaded once for each page, and again after a failure.

import { QrveyAuthError } from './index.js';

/** Launchers under way or loaded, by their path: elements are defined once, whichever host they came from. */
const launchers = new Map();

/** How often a script was asked for in vain, by its URL. */
const failures = new Map();

/** Resolves when the element of a widget is defined. */
export async function launch({ tag, module, classic }, base, { nonce, loadTimeoutMs = 30_000 }) {
  if (customElements.get(tag)) return;
  const path = module ?? classic;
  const url = `${base}/${path}`;
  let launcher = launchers.get(path);
  if (!launcher) {
    launcher = loadEither(base, module, classic, nonce);
    launchers.set(path, launcher);
  }
  const timeout = Promise.withResolvers?.() ?? withResolvers();
  const timer = setTimeout(
    () =>
      timeout.reject(
        failed(
          `${url} did not define <${tag}> within ${loadTimeoutMs / 1000} s: does this Qrvey version have this widget, and is the address right?`,
          url,
        ),
      ),
    loadTimeoutMs,
  );
  try {
    await Promise.race([launcher.then(() => customElements.whenDefined(tag)), timeout.promise]);
  } catch (error) {
    if (launchers.get(path) === launcher) launchers.delete(path);
    failures.set(url, (failures.get(url) ?? 0) + 1);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The module form; where that fails the classic one, which needs no CORS headers of the widgets host. */
async function loadEither(base, module, classic, nonce) {
  if (!module) return load(`${base}/${classic}`, false, nonce);
  try {
    return await load(`${base}/${module}`, true, nonce);
  } catch (error) {
    if (!classic) throw error;
    return load(`${base}/${classic}`, false, nonce).catch(() => {
      throw error;
    });
  }
}

function load(url, isModule, nonce) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    if (isModule) script.type = 'module';
    if (nonce) script.nonce = nonce;
    script.async = true;
    script.onload = resolve;
    script.onerror = () => {
      script.remove();
      reject(
        failed(
          `${url} could not be loaded: check "domain" or "widgetsUrl", and that the page's Content-Security-Policy allows that host in script-src`,
          url,
        ),
      );
    };
    // A browser remembers that a module could not be fetched, but by the whole URL.
    const retry = failures.get(url);
    script.src = trusted(retry ? `${url}#${retry}` : url);
    document.head.append(script);
  });
}

let policy;

/** A script's address in the form that `require-trusted-types-for 'script'` asks for. */
function trusted(url) {
  if (!globalThis.trustedTypes) return url;
  try {
    policy ??= trustedTypes.createPolicy('qrvey-auth', { createScriptURL: (address) => address });
  } catch {
    // The page's policy does not list the name: its default policy, if there is one, decides.
    return url;
  }
  return policy.createScriptURL(url);
}

function failed(message) {
  return new QrveyAuthError({ code: 'widget_load_failed', message, retryable: true });
}

function withResolvers() {
  const deferred = {};
  deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }));
  return deferred;
}
