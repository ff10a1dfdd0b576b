// Puts a new element in the place of another so that nothing on the page jumps.

/** How long a container keeps its size for a new element that stays smaller than the old one. */
const PATIENCE_MS = 10_000;

/**
 * Replaces `before` by `after` in the container, which keeps its size until the new element has filled
 * it; scroll positions and focus stay. Returns what ends that early.
 */
export function replace(container, before, after) {
  const { height, width } = before.getBoundingClientRect();
  const unfreeze = freeze(container);
  const scrolled = scrollers(before).map((element) => [element, element.scrollTop, element.scrollLeft]);
  const { activeElement } = container.getRootNode();
  const hadFocus = activeElement !== null && before.contains(activeElement);
  if (before.parentNode) before.replaceWith(after);
  else container.append(after);
  for (const [element, top, left] of scrolled) {
    if (element.scrollTop !== top) element.scrollTop = top;
    if (element.scrollLeft !== left) element.scrollLeft = left;
  }
  if (hadFocus) focus(container, after);
  const observer = new ResizeObserver(() => {
    const size = after.getBoundingClientRect();
    if (size.height >= height && size.width >= width) end();
  });
  const timer = setTimeout(end, PATIENCE_MS);
  observer.observe(after);
  function end() {
    observer.disconnect();
    clearTimeout(timer);
    unfreeze();
  }
  return end;
}

/** What each frozen container's style said before, and how many widgets hold it. */
const frozen = new WeakMap();

/** Holds a container at its size; returns how to let it go. */
function freeze(container) {
  const { style } = container;
  const { width, height } = getComputedStyle(container);
  // An inline container has no size of its own to be kept.
  if (width === 'auto') return () => {};
  const { minWidth, minHeight } = style;
  const held = frozen.get(container) ?? { before: { minWidth, minHeight }, widgets: 0 };
  frozen.set(container, held);
  held.widgets += 1;
  Object.assign(style, { minWidth: width, minHeight: height });
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    held.widgets -= 1;
    if (held.widgets > 0) return;
    frozen.delete(container);
    Object.assign(style, held.before);
    if (container.getAttribute('style') === '') container.removeAttribute('style');
  };
}

function scrollers(element) {
  const found = [];
  for (let at = parent(element); at; at = parent(at)) {
    if (at.scrollTop !== 0 || at.scrollLeft !== 0) found.push(at);
  }
  return found;
}

/** Also out of a shadow root. */
function parent(node) {
  return node.parentElement ?? node.getRootNode().host;
}

/** Gives the new element the focus, or else its container, so that a keyboard user stays where they are. */
function focus(container, element) {
  element.focus({ preventScroll: true });
  const root = container.getRootNode();
  if (root.activeElement === element || container.hasAttribute('tabindex')) return;
  container.tabIndex = -1;
  container.focus({ preventScroll: true });
  container.addEventListener('blur', () => container.removeAttribute('tabindex'), { once: true });
}
