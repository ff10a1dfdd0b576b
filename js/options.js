/** The options of `embed` that are text: attributes of the element, props of Vue's component. */
export const TEXT_OPTIONS = [
  'widget',
  'domain',
  'widgetsUrl',
  'apiUrl',
  'renew',
  'tokenKey',
  'relay',
  'endpoint',
  'profile',
  'credentials',
];

/**
 * Under it stands the signal of whatever a widget belongs to, such as a component: it ends the widget, too,
 * and leaves the option `signal` to the page.
 */
export const OWNER = Symbol.for('qrvey-auth.owner');
