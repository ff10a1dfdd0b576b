/** “Show me”: what a visitor would do, done for them in ten seconds, to the stand-in’s Dashboard View. */
import { byId } from './dom.js';
import { say } from './stage.js';

const REMARK = 'Mid-market buys later each year, bec';
const STEP_MS = 1_800;
const LETTER_MS = 45;
const PATIENCE_MS = 5_000;

const calm = matchMedia('(prefers-reduced-motion: reduce)');
const behavior = () => (calm.matches ? 'auto' : 'smooth');
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param bringUp resolves when the dashboard stands
 * @param expireAll ends every token
 */
export function startShow({ bringUp, expireAll }) {
  const button = byId('show-me');
  let isPlaying = false;
  button.hidden = false;
  button.addEventListener('click', async () => {
    if (isPlaying) return;
    isPlaying = true;
    button.setAttribute('aria-disabled', 'true');
    await bringUp();
    await play(byId('widget').firstElementChild, expireAll);
    button.setAttribute('aria-disabled', 'false');
    isPlaying = false;
  });
}

async function play(widget, expireAll) {
  const find = (selector) => widget.shadowRoot.querySelector(selector);
  const select = (name) => find(`select[data-filter=${name}]`);
  const steps = [
    async () => {
      byId('view').scrollIntoView({ block: 'end', behavior: behavior() });
      await until(() => select('region')?.options.length > 1 && find('tr[data-tenant]'));
      scroll('start');
      say('Somebody filters by region …');
      choose(select('region'), 'Nordics');
    },
    async () => {
      say('… and is half way through a remark.');
      scroll('end');
      await type(find('[data-input=remark]'));
    },
    () => {
      point(byId('revoke'));
      return expireAll();
    },
    () => {
      scroll('start');
      choose(select('segment'), 'Mid-market');
    },
    () => scroll('end'),
  ];
  for (const step of steps) {
    // Whoever has gone on to something else has seen enough.
    if (!widget?.isConnected) return;
    await step();
    await pause(STEP_MS);
  }
}

async function until(holds) {
  const end = performance.now() + PATIENCE_MS;
  while (!holds() && performance.now() < end) await pause(50);
}

function scroll(to) {
  const viewport = byId('viewport');
  const top = to === 'start' ? 0 : viewport.scrollHeight;
  viewport.scrollTo({ top, behavior: behavior() });
}

function choose(select, value) {
  if (!select) return;
  point(select);
  select.value = value;
  select.dispatchEvent(new Event('change', { bubbles: true }));
}

async function type(field) {
  if (!field) return;
  point(field);
  for (let length = 1; length <= REMARK.length; length += 1) {
    field.value = REMARK.slice(0, length);
    if (!calm.matches) await pause(LETTER_MS);
  }
}

/** Draws the eye to what is being used. */
function point(element) {
  const ring = '0 0 0 4px color-mix(in oklab, currentcolor 35%, transparent)';
  element.animate([{ boxShadow: ring }, { boxShadow: ring, offset: 0.7 }, {}], 1_400);
}
