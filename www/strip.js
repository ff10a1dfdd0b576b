/** The last minute as ticks that drift to the left, one lane for each kind of thing that happens. */
import { byId, element } from './dom.js';
import { count } from './format.js';

const lanes = {
  widget: { counter: 'widget-requests-count', track: 'widget-requests-track' },
  renewals: { counter: 'renewals-count', track: 'renewals-track' },
  relay: { counter: 'requests-count', track: 'requests-track' },
  mints: { counter: 'mints-count', track: 'mints-track' },
};

const totals = new Map();

/** @param tone `good` or `bad` */
export function tick(lane, { times = 1, tone = 'good' } = {}) {
  const { counter, track } = lanes[lane];
  const total = (totals.get(lane) ?? 0) + times;
  totals.set(lane, total);
  byId(counter).textContent = count(total);
  const mark = element('i', { 'data-tone': tone });
  mark.addEventListener('animationend', () => mark.remove());
  byId(track).append(mark);
}
