// Compiled and never run: what the declarations of `embed` promise to a strict TypeScript project.

import {
  createClient,
  type EmbeddedWidget,
  type EmbedEvents,
  type EmbedOptions,
  embed,
  type QrveyAuthError,
  type WidgetName,
} from 'qrvey-auth';
import 'qrvey-auth/element';
import { QrveyWidget, useQrveyWidget } from 'qrvey-auth/react';
import { QrveyWidget as VueWidget } from 'qrvey-auth/vue';
import { h } from 'vue';
import { expectType } from '../../types/expect.js';

const container = '#place';

export async function widgets() {
  const view = await embed({ widget: 'dashboard-view', container });
  expectType<EmbeddedWidget<'dashboard-view'>>()(view, true);
  expectType<HTMLElement | undefined>()(view.element, true);
  await view.update({ anything: true });
  view.addEventListener('failed', ({ detail }) => {
    expectType<QrveyAuthError>()(detail.error, true);
  });
  const failed = ({ detail }: EmbedEvents['failed']) => detail.retryInMs;
  view.addEventListener('failed', failed);
  view.removeEventListener('failed', failed);
  view.addEventListener('remounted', ({ detail }) => {
    expectType<'renewed' | 'out_of_reach' | 'settings'>()(detail.reason, true);
  });

  await embed({ widget: 'single-panel', container, settings: { qrveyId: 'q', type: 'CHART', chartId: 'c' } });
  await embed({ widget: 'web-form', container, settings: { qrveyHash: 'h' } });
  await embed({ widget: 'web-form', container, settings: { qrvey_hash: 'h' } });
  await embed({ widget: 'web-form-design', container, settings: { appId: 'a', brandNew: [1] } });
  await embed({ widget: 'sidekick-ai', container, context: { page: 'orders' }, agents: ['a'] });
  await createClient().embed({
    widget: 'dashboard',
    container: document.body,
    renew: 'remount',
    profile: 'default',
    onRenewed: ({ detail }) => detail.isRemounted,
    onQvDSHPageLoaded: (event) => event.detail,
  });

  // @ts-expect-error no such widget
  await embed({ widget: 'dashbord', container });
  // @ts-expect-error a panel needs its settings
  await embed({ widget: 'single-panel', container });
  // @ts-expect-error a known key of the wrong type
  await embed({ widget: 'single-panel', container, settings: { qrveyId: 1, type: 'CHART' } });
  // @ts-expect-error no such type of panel
  await embed({ widget: 'single-panel', container, settings: { qrveyId: 'q', type: 'PIE' } });
  // @ts-expect-error a form needs its hash
  await embed({ widget: 'web-form', container, settings: {} });
  // @ts-expect-error an API key is nothing for a page
  await embed({ widget: 'dashboard', container, settings: { apiKey: 'x' } });
  // @ts-expect-error no container
  await embed({ widget: 'dashboard' });
  // @ts-expect-error no such option
  await embed({ widget: 'dashboard', container, reley: '/qrvey' });
  // @ts-expect-error only Sidekick AI takes it
  await embed({ widget: 'dashboard', container, agents: [] });
}

export function chosen(widget: WidgetName, options: EmbedOptions) {
  return [widget, embed(options)];
}

const element = document.createElement('qrvey-widget');
element.settings = { theme: 'dark' };
const detailed = createClient({ detailedResponse: true });
element.client = detailed;
const renewed = ({ detail }: EmbedEvents['renewed']) => detail.isRemounted;
element.addEventListener('renewed', renewed);
element.removeEventListener('renewed', renewed);
element.addEventListener('error', ({ error }) => error.code);

export const react = [
  QrveyWidget({ widget: 'dashboard-view', client: detailed, className: 'a', onReady: ({ type }) => type }),
  useQrveyWidget({ widget: 'single-panel', settings: { qrveyId: 'q', type: 'METRIC' } }).widget?.renew(),
  // @ts-expect-error a panel needs its settings
  QrveyWidget({ widget: 'single-panel' }),
];

export const vue = [
  h(VueWidget, { widget: 'dashboard-view', client: detailed, class: 'a', onReady: ({ type }) => type }),
  // @ts-expect-error no such widget
  h(VueWidget, { widget: 'dashbord' }),
];
