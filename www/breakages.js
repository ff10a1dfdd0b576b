/** The buttons of “Break it”: what the stand-in platform can be made to do. */
import { byId, element } from './dom.js';
import { addEntry } from './timeline.js';

const TEN_MINUTES_MS = 600_000;

/** Done once, at the press of a button. */
const deeds = [
  {
    id: 'revoke',
    title: 'Revoke all tokens now',
    done: 'All tokens revoked',
    told: 'Now use the widget: its next request is refused, and the page renews without a question.',
    run: (platform) => platform.revoke(),
  },
  {
    id: 'advance-clock',
    title: 'Set its clock ten minutes on',
    done: 'The platform’s clock is ten minutes on',
    told: 'Every token has outlived its time, as after a night’s sleep. Now use the widget.',
    run: (platform) => platform.advance(TEN_MINUTES_MS),
  },
];

/** On until switched off. */
const faults = [
  {
    id: 'fault-login-down',
    title: 'Refuse token calls with 503',
    told: 'Force a new token: the module tries three times, then says upstream_unavailable.',
    fault: { target: 'login', kind: 'status', status: 503 },
  },
  {
    id: 'fault-login-html',
    title: 'Answer token calls with a web page',
    told: 'Force a new token: the page does not become one.',
    fault: { target: 'login', kind: 'html' },
  },
  {
    id: 'fault-login-slow',
    title: 'Answer token calls 2 s late',
    told: 'Force a new token, and meanwhile ask a thousand times: still one request.',
    fault: { target: 'login', kind: 'delay', delay_ms: 2_000 },
  },
  {
    id: 'fault-launcher',
    title: 'Lose the widgets’ scripts',
    told: 'Reload the page: widget_load_failed. “Try again” works once the scripts are back.',
    fault: { target: 'launcher', kind: 'status', status: 503, path: '.js' },
  },
];

/** The ids of the switches that are on. They outlive a reload of the page, as the platform's do. */
let on = new Set(history.state?.faults);

function show(switchedOn) {
  on = switchedOn;
  history.replaceState({ faults: [...on] }, '');
  for (const { id } of faults) byId(id).setAttribute('aria-pressed', String(on.has(id)));
}

export function drawBreakages(list, platform) {
  const items = [
    ...deeds.map((deed) => deedButton(deed, platform)),
    ...faults.map((fault) => faultSwitch(fault, platform)),
    mendButton(platform),
  ];
  list.replaceChildren(...items.map((item) => element('li', {}, item)));
}

function deedButton({ id, title, done, told, run }, platform) {
  const button = row(id, title);
  button.addEventListener('click', () => attempt(() => run(platform), done, told));
  return button;
}

function faultSwitch({ id, title, told }, platform) {
  const button = row(id, title);
  button.setAttribute('aria-pressed', String(on.has(id)));
  button.addEventListener('click', async () => {
    const wanted = new Set(on);
    if (!wanted.delete(id)) wanted.add(id);
    const switchedOn = faults.filter((candidate) => wanted.has(candidate.id)).map(({ fault }) => fault);
    const isOn = wanted.has(id);
    const done = `${isOn ? 'On' : 'Off'}: ${title}`;
    if (await attempt(() => platform.faults(switchedOn), done, isOn ? told : undefined)) show(wanted);
  });
  return button;
}

function mendButton(platform) {
  const button = row('mend', 'Mend everything');
  button.addEventListener('click', async () => {
    const told = 'All switches are off and the clock is right.';
    if (await attempt(() => platform.reset(), 'Mended', told)) show(new Set());
  });
  return button;
}

const row = (id, title) =>
  element('button', { id, type: 'button', class: 'row' }, element('span', {}, title));

/** Whether the platform did it; either way the timeline has it. */
async function attempt(run, title, detail) {
  try {
    await run();
    addEntry({ kind: 'platform', title, detail });
    return true;
  } catch {
    addEntry({
      kind: 'failed',
      title: 'The platform does not answer',
      detail: 'Its switches are as they were.',
    });
    return false;
  }
}
