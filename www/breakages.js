/** The buttons of “Break it”: what the stand-in platform can be made to do. */
import { element } from './dom.js';
import { allOff, attempt, row, switchOf } from './switches.js';

const TEN_MINUTES_MS = 600_000;

const faults = [
  {
    id: 'fault-login-down',
    title: 'Refuse token calls with 503',
    told: 'Expire all tokens and use the widget: it stays, and the module tries again with growing pauses.',
    faults: [{ target: 'login', kind: 'status', status: 503 }],
  },
  {
    id: 'fault-login-html',
    title: 'Answer token calls with a web page',
    told: 'Force a new token: the page does not become one.',
    faults: [{ target: 'login', kind: 'html' }],
  },
  {
    id: 'fault-login-slow',
    title: 'Answer token calls 2 s late',
    told: 'Force a new token, and meanwhile ask a thousand times: still one request.',
    faults: [{ target: 'login', kind: 'delay', delay_ms: 2_000 }],
  },
  {
    id: 'fault-launcher',
    title: 'Lose the widgets’ scripts',
    told: 'Choose a widget that was not shown yet: widget_load_failed. “Try again” works once they are back.',
    faults: [{ target: 'launcher', kind: 'status', status: 503, path: '.js' }],
  },
];

export function drawBreakages(list, platform) {
  const items = [
    clockButton(platform),
    ...faults.map((fault) => faultSwitch(fault, platform)),
    mendButton(platform),
  ];
  list.replaceChildren(...items.map((item) => element('li', {}, item)));
}

function clockButton(platform) {
  const button = row('advance-clock', 'Set its clock ten minutes on');
  const told = 'Every token has outlived its time, as after a night’s sleep. Now use the widget.';
  button.addEventListener('click', () =>
    attempt(() => platform.advance(TEN_MINUTES_MS), 'The platform’s clock is ten minutes on', told),
  );
  return button;
}

function faultSwitch(fault, platform) {
  const button = row(fault.id, fault.title);
  switchOf(button, fault, platform);
  return button;
}

function mendButton(platform) {
  const button = row('mend', 'Mend everything');
  const told = 'All switches are off and the clock is right.';
  button.addEventListener('click', async () => {
    if (await attempt(() => platform.reset(), 'Mended', told)) allOff();
  });
  return button;
}
