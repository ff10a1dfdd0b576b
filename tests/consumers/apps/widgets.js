// The ways in, side by side on one page: copied into each application that bundles them.

import 'qrvey-auth/element';
import { QrveyWidget as ReactWidget } from 'qrvey-auth/react';
import { QrveyWidget as VueWidget } from 'qrvey-auth/vue';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { createApp, h } from 'vue';

const widget = 'dashboard-view';
const place = (tag) => document.body.appendChild(document.createElement(tag));

place('qrvey-widget').setAttribute('widget', widget);
createRoot(place('div')).render(createElement(ReactWidget, { widget }));
createApp(() => h(VueWidget, { widget })).mount(place('div'));
