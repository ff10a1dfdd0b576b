// A classic script that brings five widgets along.
(() => {
  const here = document.currentScript.src;
  for (const widget of [
    'dashboard-builder',
    'dashboard-view',
    'pixel-perfect-report',
    'automation',
    'web-form-design',
  ]) {
    import(new URL(`../stand-in/${widget}.js`, here).href);
  }
})();
