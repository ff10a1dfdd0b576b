// What a person does with each widget: something to lose, then something that asks the platform.

const DESIGN = { app_id: 'orders-app', user_id: 'builder', qrvey_id: 'feedback', app_type: 'form' };

/**
 * `settings` and `options` to embed with; `shows` what they come to; `begin` makes state; `text` is where a half-typed text stands, which stays
 * unless `sends`; `act` makes the next request.
 */
export const PLAYS = {
  dashboard: {
    begin: (widget) => widget.locator('[data-action=edit]').click(),
    text: '[data-input=notes]',
    act: (widget) => widget.locator('select[data-filter=region]').first().selectOption({ index: 1 }),
    kept: 'select[data-filter=region]',
  },
  'dashboard-builder': {
    text: '[data-input=title]',
    act: (widget) => widget.locator('[data-action=save]').click(),
  },
  'dashboard-view': {
    begin: (widget) => widget.locator('select[data-filter=region]').first().selectOption({ index: 1 }),
    text: '[data-input=remark]',
    act: (widget) => widget.locator('button.mark').first().click(),
    kept: 'select[data-filter=region]',
  },
  'analytic-suite': {
    begin: (widget) => widget.locator('select[data-ask=group_by]').selectOption('product'),
    text: '[data-input=finding]',
    act: (widget) => widget.locator('button.mark').first().click(),
    kept: 'select[data-ask=group_by]',
  },
  'single-panel': {
    settings: { qrveyId: 'orders', type: 'CHART', chartId: 'revenue-by-region' },
    begin: (widget) => widget.locator('button.mark').first().click(),
    act: (widget) => widget.locator('button.mark').nth(1).click(),
  },
  'pixel-perfect-report': {
    text: '[data-input=title]',
    act: (widget) => widget.locator('[data-action=next]').click(),
  },
  automation: {
    text: '[data-input=message]',
    act: (widget) => widget.locator('[data-action=save]').click(),
  },
  'download-manager': {
    begin: (widget) => widget.locator('[data-input=dataset]').selectOption('tickets'),
    text: '[data-input=name]',
    sends: true,
    act: (widget) => widget.locator('[data-action=start]').click(),
    kept: '[data-input=dataset]',
    isEmpty: true,
  },
  'web-form-design': {
    settings: DESIGN,
    text: '[data-input="label:f1"]',
    act: (widget) => widget.locator('[data-action=save]').click(),
  },
  'sidekick-ai': {
    options: { agents: ['analyst', 'writer'], context: { page: 'orders' } },
    shows: '2 agents',
    text: '[data-input=question]',
    sends: true,
    act: (widget) => widget.locator('[data-action=ask]').click(),
  },
  'web-form': {
    settings: { qrveyHash: 'feedback-5f3a91' },
    text: '[data-input=remarks]',
    needsNoToken: true,
  },
};
