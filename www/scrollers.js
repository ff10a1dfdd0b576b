/** Lets the keyboard scroll what overflows, and keeps what does not out of its way. */
export function keepScrollable(...nodes) {
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const scroller = target.closest('[data-scroller]');
      const overflows =
        scroller.scrollHeight > scroller.clientHeight + 1 || scroller.scrollWidth > scroller.clientWidth + 1;
      if (overflows) scroller.tabIndex = 0;
      else scroller.removeAttribute('tabindex');
    }
  });
  for (const node of nodes) {
    node.dataset.scroller = '';
    observer.observe(node);
    for (const child of node.children) observer.observe(child);
  }
}
