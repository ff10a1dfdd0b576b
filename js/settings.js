/** Settings that take the place of others, for `update`, which alone keeps those that are not named. */
export function inPlaceOf(before, after) {
  const dropped = Object.keys(before ?? {}).map((key) => [key, undefined]);
  return { ...Object.fromEntries(dropped), ...after };
}
