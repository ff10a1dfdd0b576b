// Rendered on a server, where there is no page.

import { QrveyWidget } from 'qrvey-auth/react';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';

console.log(renderToString(createElement(QrveyWidget, { id: 'w', widget: 'dashboard-view' })));
