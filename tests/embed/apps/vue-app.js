// A small application: a widget that can be hidden, changed and listened to.

import { QrveyWidget } from 'qrvey-auth/vue';
import { createApp, h, reactive } from 'vue';

const state = reactive({
  shown: true,
  settings: { theme: 'light', density: 'compact' },
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
        widget: 'dashboard-view',
        settings: state.settings,
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
