// A page of its own on the demo host: signed in, empty, under the content security policy that Qrvey
// documents for its widgets, with the built package imported as `auth`.

import { startSandbox, useSandbox } from '../../e2e/support/sandbox.mjs';
import { useBrowser } from './browser.mjs';

const WWW = ['--www', 'tests/embed/www'];

export function useStage(...args) {
  const open = useBrowser();
  return stageOf(open, useSandbox(...WWW, ...args));
}

/** A stage on a sandbox that is the caller's to stop, for tests that run side by side. */
export const startStage = async (open, ...args) => stageOf(open, await startSandbox(...WWW, ...args));

function stageOf(open, sandbox) {
  return {
    sandbox,
    /** Opens the page as this user; `prepare` runs in it before anything else. */
    async page(user = 'ada', { prepare, file = 'stage.html', host = sandbox.host } = {}) {
      const page = await open();
      page.violations = [];
      await page.exposeFunction('reportViolation', (violation) => page.violations.push(violation));
      await page.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) =>
          reportViolation(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`),
        );
      });
      if (prepare) await page.addInitScript(prepare);
      await page.goto(`${host}/${file}`);
      await page.evaluate(async (user) => {
        await fetch('/session', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ user }),
        });
        globalThis.auth = await import('/qrvey-auth/index.js');
        globalThis.widgets = {};
        globalThis.told = [];
      }, user);
      return page;
    },
    mints: async () => (await sandbox.control('GET', 'log')).mints.composer,
    revoke: () => sandbox.control('POST', 'revoke'),
  };
}

/** Embeds into a new container of the page; the widget is then `widgets[name]` there. */
export function embed(page, options, name = options.widget) {
  return page.evaluate(
    async ([options, name]) => {
      const container = document.createElement('div');
      container.id = name;
      document.querySelector('#place').append(container);
      const widget = await auth.embed({ container, ...options });
      for (const type of ['renewed', 'failed', 'expired', 'remounted']) {
        widget.addEventListener(type, ({ detail }) =>
          told.push([name, type, detail.reason ?? detail.error?.code ?? '']),
        );
      }
      widget.element.isFirst = true;
      widgets[name] = widget;
    },
    [options, name],
  );
}

/** Whether the element that was mounted first is still there. */
export function isSame(page, name) {
  return page.evaluate((name) => {
    const { element } = widgets[name];
    return element.isFirst === true && element.isConnected;
  }, name);
}

/** The tenants of what a widget draws, once it draws anything. */
export async function tenantsIn(scope) {
  const drawn = scope.locator('[data-tenant]');
  await drawn.first().waitFor();
  return drawn.evaluateAll((all) => [...new Set(all.flatMap((one) => one.dataset.tenant.split(/[\s,]+/)))]);
}

/** The browser's own offline mode. */
export const setOffline = (page, isOffline) =>
  page.setOfflineMode ? page.setOfflineMode(isOffline) : page.context().setOffline(isOffline);
