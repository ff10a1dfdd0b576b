/** A configuration that the widget cannot start with; the message is for the page's developer. */
export class ConfigurationError extends Error {}

const API_KEYS = ['apiKey', 'api_key', 'apikey', 'x-api-key'];

/**
 * Reads a widget's configuration: the attribute holds the name of a global. With `acceptsValues` it
 * may also hold JSON, or the element a property of the attribute's name.
 *
 * Returns the token apart from the rest, so that the rest can be handed around.
 */
export function readSettings(element, { attribute, tokenKeys, acceptsValues }) {
  const given = readValue(element, attribute, acceptsValues);
  if (given === null || typeof given !== 'object') {
    throw new ConfigurationError(`The configuration that \`${attribute}\` names is no object.`);
  }
  const { qvToken: _new, qv_token: _old, ...settings } = given;
  const token = tokenKeys.map((key) => given[key]).find((value) => value !== undefined);
  if (token !== undefined && API_KEYS.some((key) => key in settings)) {
    throw new ConfigurationError('An API key must never stand beside qvToken. Take it out of the page.');
  }
  if (tokenKeys.length > 0 && (typeof token !== 'string' || token === '')) {
    throw new ConfigurationError(`The configuration has no ${tokenKeys[0]}.`);
  }
  return { token, settings, domain: readDomain(settings.domain) };
}

/** What an attribute stands for: the global that it names, or the value that it holds. */
export function readValue(element, attribute, acceptsValues) {
  if (acceptsValues && Object.hasOwn(element, attribute)) return element[attribute];
  const text = element.getAttribute(attribute);
  if (!text) throw new ConfigurationError(`The attribute \`${attribute}\` is missing.`);
  if (acceptsValues && text.trimStart().match(/^[{[]/)) {
    try {
      return JSON.parse(text);
    } catch {
      throw new ConfigurationError(`The attribute \`${attribute}\` holds no valid JSON.`);
    }
  }
  if (!(text in window)) throw new ConfigurationError(`There is no global named \`${text}\`.`);
  return window[text];
}

function readDomain(domain) {
  try {
    const url = new URL(domain);
    if (url.protocol === 'https:' || url.protocol === 'http:') return String(domain).replace(/\/+$/, '');
  } catch {
    // Told below, with the other reasons.
  }
  throw new ConfigurationError('The configuration needs `domain`, such as https://tenant.example.');
}
