// The Rust side of `embed`: an instance of its own, so that a page without widgets does not load it.

import embedded from '../target/bindgen/qrvey_auth_widgets.embedded.js';
import * as bindings from '../target/bindgen/qrvey_auth_widgets.js';
import { bytes } from './bytes.js';
import { QrveyAuthError } from './index.js';
import { UNSTARTABLE } from './unstartable.js';

let loading;

/**
 * Checks `EmbedOptions` and says what is to be done.
 *
 * @typedef {object} Planned
 * @property {string} tag
 * @property {string} attribute The one that names the configuration.
 * @property {string} [tokenKey] Absent: the widget needs no token.
 * @property {string} [module] Path of the launcher in module form.
 * @property {string} [classic] Path of the launcher in classic form.
 * @property {'seamless' | 'remount' | 'off'} renew
 * @property {string} [domain]
 * @property {string} [widgetsUrl]
 * @property {string} [apiUrl]
 * @property {object} settings Under the names that the widget wants.
 * @property {object} token The options that are for the token.
 * @property {Record<string, Function>} listeners By event.
 * @property {Record<string, unknown>} attributes Further attributes of the element.
 * @returns {Promise<Planned>}
 */
export async function plan(options) {
  loading ??= instantiate();
  await loading;
  try {
    return bindings.plan(options);
  } catch (problem) {
    // What is no text was thrown by the page's own getters.
    throw typeof problem === 'string' ? invalid(problem) : problem;
  }
}

export function invalid(message) {
  return new QrveyAuthError({ code: 'invalid_options', message });
}

async function instantiate() {
  try {
    await bindings.default({
      module_or_path: bytes(embedded),
    });
  } catch (cause) {
    loading = undefined;
    throw new QrveyAuthError(UNSTARTABLE, cause);
  }
}
