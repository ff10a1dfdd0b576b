const LOCALE = 'en-GB';
const money = new Intl.NumberFormat(LOCALE, { style: 'currency', currency: 'EUR', maximumFractionDigits: 0 });
const shortMoney = new Intl.NumberFormat(LOCALE, { style: 'currency', currency: 'EUR', notation: 'compact' });
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat(LOCALE, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
const month = new Intl.DateTimeFormat(LOCALE, { month: 'short', timeZone: 'UTC' });
const monthAndYear = new Intl.DateTimeFormat(LOCALE, { month: 'long', year: 'numeric', timeZone: 'UTC' });

/** How the values of a measure are written: in full and short. */
export function numberFormat({ aggregate, measure } = {}) {
  if (measure === 'amount' && aggregate !== 'count') return { full: money.format, short: shortMoney.format };
  return aggregate === 'average'
    ? { full: fine.format, short: fine.format }
    : { full: whole.format, short: whole.format };
}

/** A value of a row, written for people. */
export function cellText(column, value) {
  if (value === null || value === '') return '–';
  if (column === 'amount') return money.format(value);
  if (column.endsWith('_on')) return day.format(new Date(value));
  return String(value);
}

/** The key of a group, written for people; `isLong` spells months out. */
export function keyText(column, key, isLong = false) {
  if (column === 'month') return (isLong ? monthAndYear : month).format(new Date(`${key}-01`));
  return key;
}

export const isNumeric = (column) => ['amount', 'quantity', 'hours'].includes(column);

/** `ordered_on` → `Ordered on`. */
export function columnTitle(column) {
  const words = column.replaceAll('_', ' ').replace(/ id$/, '');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
