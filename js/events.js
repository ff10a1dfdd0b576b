/** The events of an embedded widget: its own, then Qrvey's. */
export const EVENTS = [
  'ready',
  'expiring',
  'renewed',
  'failed',
  'expired',
  'remounted',
  'qvTokenExpired',
  'qvDSHPageLoaded',
  'qvDSHItemsLoaded',
  'atApplyUserFilters',
  'qvDSHRestoreDashboard',
  'qvDSHSaveDashboard',
  'qvDSHEditDashboard',
  'qvDSHCloseEditDashboard',
];

/** The option that listens to an event. */
export const optionOf = (event) => `on${event[0].toUpperCase()}${event.slice(1)}`;
