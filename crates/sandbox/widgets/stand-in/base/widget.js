import { h } from './dom.js';
import { openPlatform } from './platform.js';
import { ConfigurationError, readSettings } from './settings.js';
import { createTasks } from './tasks.js';
import { theme } from './theme.js';

/**
 * Defines a widget's element.
 *
 * `mount({ body, platform, tasks, settings, element, domain })` fills `body`; it runs once, when the
 * element is first connected, which is also the only time that the configuration is read. It may
 * return `{ resume, pause }` for when the element leaves the page and comes back.
 */
export function defineWidget({
  tag,
  name,
  attribute = 'settings',
  tokenKeys = ['qvToken', 'qv_token'],
  acceptsValues = false,
  styles,
  mount,
}) {
  if (customElements.get(tag)) return;
  const begin = (element) => {
    const root = element.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = styles ? [theme, sheet(styles)] : [theme];
    const body = h('div', { class: 'body' });
    const notice = createNotice();
    const frame = h(
      'section',
      { class: 'frame', part: 'frame', 'aria-label': name, 'data-state': 'ready' },
      notice.element,
      body,
    );
    root.append(frame);
    const tasks = createTasks(({ busy, failure }) => {
      frame.dataset.state = failure?.kind ?? (busy ? 'loading' : 'ready');
      frame.setAttribute('aria-busy', String(busy));
      notice.show(failure, busy);
    });
    notice.onRetry(() => tasks.retry());
    try {
      const { token, settings, domain } = readSettings(element, { attribute, tokenKeys, acceptsValues });
      const platform = openPlatform({ domain, token, name });
      return { tasks, ...mount({ body, platform, tasks, settings, element, domain }) };
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      frame.dataset.state = 'misconfigured';
      body.replaceChildren(
        h('p', { class: 'fault', role: 'alert' }, h('strong', {}, `${name} cannot start. `), error.message),
      );
      return { tasks };
    }
  };

  customElements.define(
    tag,
    class extends HTMLElement {
      #life;
      #online = () => this.#life.tasks.retry();

      connectedCallback() {
        const isFirst = !this.#life;
        this.#life ??= begin(this);
        window.addEventListener('online', this.#online);
        if (!isFirst) {
          this.#life.tasks.resume();
          this.#life.resume?.();
        }
      }

      disconnectedCallback() {
        window.removeEventListener('online', this.#online);
        this.#life.tasks.pause();
        this.#life.pause?.();
      }
    },
  );
}

function sheet(text) {
  const styleSheet = new CSSStyleSheet();
  styleSheet.replaceSync(text);
  return styleSheet;
}

const NOTICES = {
  expired: 'Your session needs renewing. What you see and typed stays here.',
  unreachable: 'The connection is gone. What you see and typed stays here.',
};

/** The quiet line that says what is wrong, above content that stays. */
function createNotice() {
  const text = h('span', {});
  const button = h('button', { type: 'button', class: 'quiet' }, 'Try again');
  const element = h('div', { class: 'notice', role: 'status', hidden: true }, text, button);
  return {
    element,
    onRetry: (action) => button.addEventListener('click', action),
    show(failure, busy) {
      button.disabled = busy;
      // While it is tried again the line stays, so that nothing jumps.
      if (failure === null && busy && !element.hidden) return;
      element.hidden = failure === null;
      element.dataset.kind = failure?.kind ?? '';
      const message = failure === null ? '' : (NOTICES[failure.kind] ?? failure.message);
      if (text.textContent !== message) text.textContent = message;
    },
  };
}
