// Everyone lands here: bundlers, plain pages, workers and Node. Importing it does nothing.

import { QrveyClient } from './client.js';

export { QrveyAuthError } from './error.js';

/** The page's default client, made on first use. */
let page;
const client = () => (page ??= new QrveyClient());

export const getComposerToken = (options) => client().getComposerToken(options);
export const getAdminToken = (options) => client().getAdminToken(options);
export const watch = (callback, options) => client().watch(callback, options);
export const embed = (options) => client().embed(options);
export const configure = (defaults) => client().configure(defaults);
export const clearTokens = () => client().clearTokens();
export const createClient = (defaults) => new QrveyClient(defaults);
