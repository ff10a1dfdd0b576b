const numbers = new Intl.NumberFormat('en');
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export const count = (value) => numbers.format(value);

export const timeOfDay = (date) => clock.format(date);

export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** A measured time; below a tenth of a millisecond the browser's clock says nothing. */
export function elapsed(ms) {
  if (ms < 0.1) return '< 0.1 ms';
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** A lifetime, in the two largest units that say something. */
export function lifetime(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  const units = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const first = units.findIndex(([size]) => seconds >= size);
  if (first === -1) return '0 s';
  let rest = seconds;
  const parts = units.slice(first, first + 2).map(([size, name]) => {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    return amount > 0 || name === 's' ? `${amount} ${name}` : '';
  });
  return parts.filter(Boolean).join(' ');
}

/** When a renewal that failed is tried again. */
export const retryIn = (ms) =>
  ms === undefined ? 'Only signing in or other rights can help.' : `Next try in ${lifetime(ms)}.`;

export const initials = (name) =>
  name
    .split(/\s+/)
    .map((word) => word.charAt(0))
    .slice(0, 2)
    .join('');
