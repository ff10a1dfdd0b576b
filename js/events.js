/** Qrvey's events that it documents, and where its widgets fire them. */
export const QRVEY_EVENTS = {
  qvTokenExpired: 'window',
  qvDSHPageLoaded: 'document',
  qvDSHItemsLoaded: 'document',
  atApplyUserFilters: 'window',
  qvDSHRestoreDashboard: 'window',
  qvDSHSaveDashboard: 'window',
  qvDSHEditDashboard: 'window',
  qvDSHCloseEditDashboard: 'window',
};

/** The events of an embedded widget: its own, then Qrvey's. */
export const EVENTS = [
  'ready',
  'expiring',
  'renewed',
  'failed',
  'expired',
  'remounted',
  ...Object.keys(QRVEY_EVENTS),
];

/** The option that listens to an event. */
export const optionOf = (event) => `on${event[0].toUpperCase()}${event.slice(1)}`;
