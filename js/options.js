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
