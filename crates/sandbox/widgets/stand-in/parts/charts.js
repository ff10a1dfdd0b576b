import { h, keyed, setVars } from '../base/dom.js';
import { columnTitle, keyText, numberFormat } from '../base/format.js';

/**
 * A chart of one number for each group: columns for months, bars for everything else. Each is a button
 * that calls `onpick(column, key)`; `picked` is the key that is drilled into.
 */
export function createChart({ query, onpick }) {
  const column = query.group_by;
  const isTime = column === 'month';
  const format = numberFormat(query);
  const list = h('ol', {
    class: isTime ? 'columns fresh' : 'bars fresh',
    'aria-label': `By ${columnTitle(column).toLowerCase()}`,
  });
  const create = ({ key }) =>
    h(
      'li',
      {},
      h(
        'button',
        { type: 'button', class: 'mark', onclick: () => onpick?.(column, key), disabled: !onpick },
        h('span', { class: 'label' }),
        h('span', { class: 'track' }, h('span', { class: 'fill' })),
        h('span', { class: 'value' }),
      ),
    );

  return {
    element: list,
    show(answer, picked) {
      const largest = Math.max(1, ...answer.rows.map(({ value }) => value));
      keyed(
        list,
        answer.rows,
        ({ key }) => key,
        create,
        (child, { key, value, tenants }) => {
          const button = child.firstElementChild;
          child.dataset.tenant = tenants.join(' ');
          child.dataset.value = value;
          setVars(button, { share: value / largest });
          button.setAttribute('aria-pressed', String(key === picked));
          button.title = `${keyText(column, key, true)}: ${format.full(value)}`;
          button.querySelector('.label').textContent = keyText(column, key);
          button.querySelector('.value').textContent = format.short(value);
        },
      );
      list.classList.toggle('has-pick', picked !== undefined);
      list.classList.toggle('has-nothing', answer.rows.length === 0);
    },
  };
}

/** One number under its name. */
export function createMetric({ query, title }) {
  const format = numberFormat(query);
  const value = h('dd', { class: 'metric-value fresh' }, '…');
  const element = h('div', { class: 'metric' }, h('dt', {}, title), value);
  return {
    element,
    show(answer) {
      element.dataset.tenant = answer.tenants.join(' ');
      element.dataset.value = answer.value;
      value.textContent = format.full(answer.value);
    },
  };
}

export const chartStyles = `
.has-nothing::before { content: 'Nothing to show.'; color: var(--soft); }
.mark { display: grid; inline-size: 100%; border: 0; background: none; padding: 3px 4px; border-radius: 6px; text-align: start; }
.mark:disabled { opacity: 1; }
.mark:hover:enabled { background: var(--hover); }
.fill { background: var(--bar); display: block; }
.has-pick .mark:not([aria-pressed='true']) .fill { opacity: 0.4; }
.mark[aria-pressed='true'] .label { font-weight: 650; }
.bars { display: grid; gap: 2px; }
.bars .mark { grid-template-columns: minmax(84px, min(34%, 150px)) minmax(0, 1fr) 56px; gap: 10px; align-items: center; }
.bars .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bars .fill { block-size: 14px; border-radius: 3px; inline-size: max(2px, calc(var(--share) * 100%)); }
.bars .value { text-align: end; font-variant-numeric: tabular-nums; }
.columns { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 2px; }
.columns .mark { grid-template-columns: minmax(0, 1fr); grid-template-rows: auto 132px auto; gap: 4px; padding-inline: 1px; text-align: center; }
.columns .value { order: -1; font-size: 11px; color: var(--soft); font-variant-numeric: tabular-nums; }
.columns .track { display: flex; align-items: end; justify-content: center; }
.columns .fill { inline-size: min(82%, 34px); border-radius: 3px 3px 0 0; block-size: max(2px, calc(var(--share) * 100%)); }
.columns .label { order: 1; font-size: 12px; color: var(--soft); }
.metrics { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 10px; }
.metric { background: var(--raised); border-radius: 10px; padding: 12px 16px; min-inline-size: 0; }
.metric dt { color: var(--soft); }
.metric-value { font-size: 24px; line-height: 1.25; font-weight: 650; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
@container (max-width: 560px) {
  .columns .mark { grid-template-rows: 132px auto; }
  .columns .value { position: absolute; clip-path: inset(50%); }
}
@container (max-width: 480px) {
  .columns li:nth-child(even) .label { visibility: hidden; }
  .columns .mark { grid-template-rows: 108px auto; }
  .columns .label { display: flex; justify-content: center; white-space: nowrap; }
  .metrics { grid-template-columns: minmax(0, 1fr); gap: 2px; border-radius: 10px; overflow: clip; }
  .metrics .metric { display: flex; justify-content: space-between; align-items: baseline; border-radius: 0; padding: 8px 14px; }
  .metrics .metric-value { font-size: 18px; }
}
`;
