/**
 * Makes an element. `on…` members are listeners, `vars` are CSS custom properties, everything else is
 * an attribute; children are elements or text, never markup.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'vars') setVars(element, value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

export function setVars(element, vars) {
  for (const [name, value] of Object.entries(vars)) element.style.setProperty(`--${name}`, value);
}

/**
 * Shows one child for each item and keeps the child of an item that stays, so that focus and
 * animations survive a redraw.
 */
export function keyed(parent, items, keyOf, create, update) {
  const kept = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const children = items.map((item) => {
    const key = String(keyOf(item));
    const child = kept.get(key) ?? create(item);
    child.dataset.key = key;
    update(child, item);
    kept.delete(key);
    return child;
  });
  for (const gone of kept.values()) gone.remove();
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}

let lastId = 0;

/** An id for `aria-labelledby` and `for`, unique within the page. */
export function newId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}
