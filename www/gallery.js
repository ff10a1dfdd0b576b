/**
 * What can be chosen. `settings` are what the stand-in platform needs; a widget that has `itemIds` among
 * them cannot be shown of a real Qrvey, whose ids this page does not know. `begin` is something that a
 * person would hate to lose, `act` what makes the widget ask the platform again.
 */
export const gallery = [
  {
    id: 'dashboard-view',
    name: 'Dashboard View',
    begin: 'Filter by region and start a remark at the bottom',
    act: 'set another filter',
  },
  {
    id: 'dashboard-builder',
    name: 'Dashboard Builder',
    begin: 'Rename the dashboard',
    act: 'save it',
  },
  {
    id: 'dashboard',
    name: 'Dashboard',
    begin: 'Press Edit and start a note',
    act: 'filter by region',
  },
  {
    id: 'analytic-suite',
    name: 'Analytic Suite',
    begin: 'Group by product and write half a finding',
    act: 'drill into a bar',
  },
  {
    id: 'single-panel',
    name: 'Single Panel',
    begin: 'Drill into a bar',
    act: 'drill into another',
    settings: { qrveyId: 'orders', type: 'CHART', chartId: 'revenue-by-region' },
    variants: {
      Chart: { qrveyId: 'orders', type: 'CHART', chartId: 'revenue-by-region' },
      Metric: { qrveyId: 'orders', type: 'METRIC', metricId: 'revenue' },
      Table: { qrveyId: 'orders', type: 'SUMMARY', summaryId: 'orders-table' },
    },
    itemIds: true,
  },
  {
    id: 'pixel-perfect-report',
    name: 'Pixel-perfect Report',
    begin: 'Change the report’s title',
    act: 'turn the page',
  },
  {
    id: 'automation',
    name: 'Automation',
    begin: 'Rewrite the message that it sends',
    act: 'save the flow',
  },
  {
    id: 'download-manager',
    name: 'Download Manager',
    begin: 'Name a download',
    act: 'start it',
  },
  {
    id: 'web-form-design',
    name: 'Web Form Design',
    begin: 'Change the label of a field',
    act: 'save the form',
    settings: { app_id: 'orders-app', user_id: 'builder', qrvey_id: 'feedback', app_type: 'form' },
    itemIds: true,
  },
  {
    id: 'web-form',
    name: 'Web Form',
    settings: { qrvey_hash: 'feedback-5f3a91' },
    hasNoToken: true,
    itemIds: true,
  },
  {
    id: 'sidekick-ai',
    name: 'Sidekick AI',
    begin: 'Type half a question',
    act: 'finish and ask it',
  },
];
