/** Settings that take the place of others, for `update`, which alone keeps those that are not named. */
export function inPlaceOf(before, after) {
  const dropped = Object.keys(before ?? {}).map((key) => [key, undefined]);
  return { ...Object.fromEntries(dropped), ...after };
}

/**
 * Equal for options or settings that hold the same, whichever objects they are in. Functions do not count, nor
 * does what is in a value that JSON cannot say.
 */
export function textOf(options) {
  const texts = Object.entries(options ?? {}).map(([key, value]) => [key, json(value)]);
  return JSON.stringify(texts.filter(([, text]) => text !== undefined));
}

function json(value) {
  try {
    return JSON.stringify(value, (_, part) => (part instanceof Headers ? [...part] : part));
  } catch {
    return '';
  }
}
