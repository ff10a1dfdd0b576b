/** What is chosen on the page, kept in its address: it outlives a reload, and can be handed on. */
const chosen = new URLSearchParams(location.search);

/** What the address says of this, or null. */
export const remembered = (name) => chosen.get(name);

/** @param value nothing for what is chosen anyway */
export function remember(name, value) {
  if (value === undefined) chosen.delete(name);
  else chosen.set(name, value);
  const query = chosen.size > 0 ? `?${chosen}` : '';
  history.replaceState(history.state, '', `${location.pathname}${query}${location.hash}`);
}
