// Medians, spread, and ratios taken within each round, so that a noisy neighbour hits both sides.

const AIMS = {
  forward: { perSecond: 7, cpuMsPer1000: 7, loadedKib: 10 },
  reuse: { perSecond: 35, cpuMsPer1000: 35, loadedKib: 10 },
};
const CONSTANT_AIM = 1.3;
const START_AIM_MS = 20;

const sorted = (values) => values.toSorted((a, b) => a - b);
const median = (values) => sorted(values)[Math.floor(values.length / 2)];
const digits = (value) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
const spread = (values) =>
  `${digits(median(values))} (${digits(Math.min(...values))}–${digits(Math.max(...values))})`;

function table(heads, rows) {
  const lines = [heads, heads.map(() => '---'), ...rows];
  console.log(lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n'));
}

export function printStarts(starts) {
  table(
    ['start to first answer', 'ms', 'aim'],
    starts.map(({ name, ms }) => [name, spread(ms), name === 'forward' ? `≤ ${START_AIM_MS}` : '']),
  );
}

export function print(contestants) {
  console.log();
  table(
    ['', 'requests/s', 'p50 ms', 'p99 ms', 'CPU ms per 1 000', 'idle MiB', 'loaded MiB'],
    contestants.map(({ name, samples, idleKib }) => [
      name,
      ...['perSecond', 'p50Ms', 'p99Ms', 'cpuMsPer1000'].map((key) => spread(samples.map((it) => it[key]))),
      digits(idleKib / 1024),
      digits(median(samples.map((it) => it.loadedKib)) / 1024),
    ]),
  );
  const by = Object.fromEntries(contestants.map((contestant) => [contestant.name, contestant]));
  console.log();
  table(
    ['ratio, median of rounds (spread)', 'throughput', 'aim', 'CPU', 'aim', 'loaded memory', 'aim'],
    Object.entries(AIMS).map(([name, aims]) => {
      const ratios = (key, better) =>
        by[name].samples.map((sample, round) => better(by.express.samples[round][key], sample[key]));
      const less = (express, relay) => express / relay;
      return [
        `express : ${name}`,
        `${spread(ratios('perSecond', (express, relay) => relay / express))} ×`,
        `≥ ${aims.perSecond} ×`,
        `1 / ${spread(ratios('cpuMsPer1000', less))}`,
        `≤ 1 / ${aims.cpuMsPer1000}`,
        `1 / ${spread(ratios('loadedKib', less))}`,
        `≤ 1 / ${aims.loadedKib}`,
      ];
    }),
  );
  const against = (key, ratio) =>
    spread(by.reuse.samples.map((sample, round) => ratio(sample[key], by.constant.samples[round][key])));
  const throughput = against('perSecond', (reuse, constant) => constant / reuse);
  const cpu = against('cpuMsPer1000', (reuse, constant) => reuse / constant);
  console.log(
    `\nreuse against the constant handler: throughput ${throughput}, CPU ${cpu}; aim ≤ ${CONSTANT_AIM}`,
  );
}
