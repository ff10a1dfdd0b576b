/**
 * Qrvey's widgets, mounted the way Qrvey documents it: a global with the configuration, a custom
 * element that is told the global's name, and the launcher script that defines the element.
 */

/**
 * The gallery. `settings` is what stands beside `domain` and `qvToken`; ids of single items are the
 * stand-in platform's (`sandboxOnly`). `global` is the name in the listing; the page makes up its own.
 */
export const widgets = [
  {
    id: 'dashboard-view',
    name: 'Dashboard View',
    tag: 'qrvey-end-user',
    attribute: 'settings',
    launchers: [{ path: 'widgets-launcher/app.js' }],
    settings: {},
    global: 'salesDashboard',
  },
  {
    id: 'single-panel',
    name: 'Single Panel',
    tag: 'an-panel',
    attribute: 'config',
    launchers: [
      { path: 'qrvey-an-widgets/an-dashboard/andashboard/andashboard.esm.js', type: 'module' },
      { path: 'qrvey-an-widgets/an-dashboard/andashboard/andashboard.js', nomodule: true },
    ],
    settings: { qrveyId: 'sandbox', type: 'CHART', chartId: 'revenue-by-region' },
    sandboxOnly: true,
    global: 'revenuePanel',
  },
];

/** How long a launcher that has loaded may take to define its element. */
const DEFINE_TIMEOUT_MS = 10_000;

/** Why a widget did not come up, in the shape of the module's errors. */
export class WidgetError extends Error {
  name = 'WidgetError';
  code = 'widget_load_failed';
}

/**
 * Puts a widget into `container` and gives back what takes it away again, its global included.
 *
 * @returns {Promise<() => void>}
 */
export async function mount(widget, container, { domain, token, signal }) {
  await load(widget, domain);
  signal.throwIfAborted();
  // Other scripts cannot guess the name, so they cannot read the token from it.
  const global = `qrvey_${crypto.randomUUID().replaceAll('-', '')}`;
  window[global] = { ...widget.settings, domain, qvToken: token };
  const node = document.createElement(widget.tag);
  node.setAttribute(widget.attribute, global);
  container.replaceChildren(node);
  return () => {
    node.remove();
    delete window[global];
  };
}

async function load(widget, domain) {
  // A browser that runs this page knows modules and would skip the nomodule form anyway.
  const launchers = widget.launchers.filter(({ nomodule }) => !nomodule);
  await Promise.all(launchers.map(({ path, type }) => loadScript(`${domain}/${path}`, type)));
  const late = new Promise((_, reject) => {
    setTimeout(() => {
      reject(new WidgetError(`The script of ${widget.name} came, but did not define <${widget.tag}>.`));
    }, DEFINE_TIMEOUT_MS);
  });
  await Promise.race([customElements.whenDefined(widget.tag), late]);
}

const scripts = new Map();

/** Loads each address once; one that failed may be tried again. */
function loadScript(src, type) {
  const known = scripts.get(src);
  if (known) return known;
  const loading = new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = src;
    if (type) script.type = type;
    script.addEventListener('load', resolve);
    script.addEventListener('error', () => {
      script.remove();
      scripts.delete(src);
      reject(new WidgetError(`The widget’s script could not be loaded from ${src}: see the network panel.`));
    });
    document.head.append(script);
  });
  scripts.set(src, loading);
  return loading;
}
