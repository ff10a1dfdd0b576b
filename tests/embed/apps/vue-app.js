// A small application: a widget that can be hidden, changed and listened to.

import { QrveyWidget } from 'qrvey-auth/vue';
import { createApp, h, reactive } from 'vue';

const state = reactive({
  shown: true,
  settings: { theme: 'light', density: 'compact' },
  round: 0,
  ready: 0,
  problem: '',
});
globalThis.state = state;

createApp({
  render: () => [
    h('output', { id: 'ready' }, String(state.ready)),
    h('output', { id: 'problem' }, state.problem),
    state.shown &&
      h(QrveyWidget, {
        class: 'place',
        'data-round': state.round,
        widget: 'dashboard-view',
        // New objects each time, as a template would make them.
        settings: { ...state.settings },
        options: { retries: 1 },
        ...globalThis.more,
        onReady: () => {
          state.ready += 1;
        },
      }),
    h(QrveyWidget, {
      widget: 'dashbord',
      onError: ({ code }) => {
        state.problem = code;
      },
    }),
  ],
}).mount('#place');
