/**
 * Waits until this holds in the page: longer than a browser's driver would, in either browser, and for what a
 * promise resolves to, where Playwright takes any promise for true.
 */
export async function until(page, holds, withinMs = 30_000) {
  const end = performance.now() + withinMs;
  while (!(await page.evaluate(holds))) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
