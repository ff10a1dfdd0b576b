// What a person does with each widget: something to lose, then something that asks the platform.

import assert from 'node:assert/strict';
import { embed, isSame, tenantsIn } from './page.mjs';

const DESIGN = { app_id: 'orders-app', user_id: 'builder', qrvey_id: 'feedback', app_type: 'form' };
const TEXT = 'half a sen';

const choose = (selector, option) => (widget) => widget.locator(selector).first().selectOption(option);
const press = (selector) => (widget) => widget.locator(selector).first().click();

/**
 * `settings` and `options` to embed with; `shows` what they come to; `begin` makes state; `text` is where
 * a half-typed text stands; `act` makes the next request, and `changes` is what it is meant to change.
 */
export const PLAYS = {
  dashboard: {
    begin: async (widget) => {
      await press('[data-action=edit]')(widget);
      await choose('select[data-filter=segment]', { index: 1 })(widget);
    },
    text: '[data-input=notes]',
    act: choose('select[data-filter=region]', { index: 1 }),
    changes: ['filter=region'],
  },
  'dashboard-builder': {
    text: '[data-input=title]',
    act: press('[data-action=save]'),
  },
  'dashboard-view': {
    begin: choose('select[data-filter=region]', { index: 1 }),
    text: '[data-input=remark]',
    act: press('button.mark'),
    changes: ['pressed', 'drill='],
  },
  'analytic-suite': {
    begin: choose('select[data-ask=group_by]', 'product'),
    text: '[data-input=finding]',
    act: press('button.mark'),
    changes: ['pressed'],
  },
  'single-panel': {
    settings: { qrveyId: 'orders', type: 'CHART', chartId: 'revenue-by-region' },
    begin: press('button.mark'),
    act: press('th[data-column=customer] button'),
    changes: ['column=customer'],
  },
  'pixel-perfect-report': {
    text: '[data-input=title]',
    act: press('[data-action=next]'),
  },
  automation: {
    text: '[data-input=message]',
    act: press('[data-action=save]'),
  },
  'download-manager': {
    begin: choose('[data-input=dataset]', 'tickets'),
    text: '[data-input=name]',
    act: press('[data-action=start]'),
    changes: ['input=name'],
    isEmpty: true,
  },
  'web-form-design': {
    settings: DESIGN,
    text: '[data-input="label:f1"]',
    act: press('[data-action=save]'),
  },
  'sidekick-ai': {
    options: { agents: ['analyst', 'writer'], context: { page: 'orders' } },
    shows: '2 agents',
    text: '[data-input=question]',
    act: press('[data-action=ask]'),
    changes: ['input=question'],
  },
  'web-form': {
    settings: { qrveyHash: 'feedback-5f3a91' },
    text: '[data-input=remarks]',
    needsNoToken: true,
  },
};

/** Those that have a token to lose. */
export const NAMES = Object.keys(PLAYS).filter((name) => !PLAYS[name].needsNoToken);

/** Embeds a widget and does with it what makes state, or less if `isIdle`; resolves to how to go on. */
export async function play(page, name, options, { isIdle = false } = {}) {
  const { settings, shows, begin, text, act, changes = [], isEmpty, ...own } = PLAYS[name];
  await embed(page, { widget: name, settings, ...own.options, ...options });
  const widget = page.locator(`[id="${name}"]`);
  const ready = () => widget.locator('[part=frame][data-state=ready]').waitFor();
  if (shows) assert.equal(await widget.locator('.tag').first().textContent(), shows);
  if (!isEmpty) assert.deepEqual(await tenantsIn(widget), ['aurora']);
  if (!isIdle) await begin?.(widget);
  if (text) await widget.locator(text).first().fill(TEXT);
  await ready();
  const before = await stateIn(page, name);
  assert.ok(before.length > 0, `${name} has something to lose`);
  return {
    widget,
    /** The next request of the widget, which is to succeed. */
    async act() {
      const answered = page.waitForResponse(
        (answer) => answer.url().includes('/data/') && answer.request().method() !== 'OPTIONS' && answer.ok(),
      );
      await act(widget);
      await answered;
      await ready();
    },
    /** The element is the one that was mounted first, and says what it said; apart from what was acted upon. */
    async assertKept({ hasActed = false } = {}) {
      assert.ok(await isSame(page, name), `${name} is the same element`);
      const untouched = ([what]) => !hasActed || !changes.some((change) => what.includes(change));
      const after = new Map(await stateIn(page, name));
      for (const [what, value] of before.filter(untouched)) {
        assert.equal(after.get(what), value, `${name}: ${what}`);
      }
      assert.deepEqual(await tenantsIn(widget), ['aurora']);
    },
  };
}

/** Everything in a widget that a person has set: fields, choices, drills, sorting, scroll positions. */
function stateIn(page, name) {
  return page.evaluate((name) => {
    const own = ({ dataset }) => Object.entries(dataset).map(([key, value]) => `${key}=${value}`);
    const state = [];
    for (const element of widgets[name].element.shadowRoot.querySelectorAll('*')) {
      const { localName, value, checked, scrollTop } = element;
      const what = [localName, ...own(element), ...own(element.closest('[data-key]') ?? { dataset: {} })];
      const say = (kind, value) => state.push([[...what, kind].join(' '), String(value)]);
      if (['input', 'select', 'textarea'].includes(localName)) say('value', `${value} ${checked}`);
      if (element.isContentEditable) say('text', element.textContent);
      for (const kind of ['pressed', 'selected', 'sort']) {
        const said = element.getAttribute(`aria-${kind}`);
        if (said !== null && said !== 'false') say(kind, said);
      }
      if (element.dataset.drill) say('drilled', true);
      if (scrollTop > 0) say('scrolled', scrollTop);
    }
    return state;
  }, name);
}
