// The form for pages that load no module scripts of their own.
(() => {
  const here = document.currentScript.src;
  for (const widget of ['analytic-suite', 'single-panel']) {
    import(new URL(`../../../stand-in/${widget}.js`, here).href);
  }
})();
