/** Faults of the stand-in platform that are on until switched off. */
import { byId, element } from './dom.js';
import { addEntry } from './timeline.js';

/** The ids of those that are on. They outlive a reload of the page, as the platform's do. */
let on = new Set(history.state?.faults);
const known = new Map();

function remember(ids) {
  on = ids;
  history.replaceState({ ...history.state, faults: [...on] }, '');
  for (const id of known.keys()) byId(id).setAttribute('aria-pressed', String(on.has(id)));
}

/**
 * Makes a button the switch of a fault.
 *
 * @param what `{ id, title, told, toldOff, faults }`: the last as the platform takes them
 */
export function switchOf(button, what, platform, onSwitched = () => {}) {
  const { id, title, told, toldOff } = what;
  known.set(id, what);
  button.setAttribute('aria-pressed', String(on.has(id)));
  button.addEventListener('click', async () => {
    const wanted = new Set(on);
    if (!wanted.delete(id)) wanted.add(id);
    const isOn = wanted.has(id);
    const faults = [...known.values()].filter((each) => wanted.has(each.id)).flatMap((each) => each.faults);
    const done = `${isOn ? 'On' : 'Off'}: ${title}`;
    if (!(await attempt(() => platform.faults(faults), done, isOn ? told : toldOff))) return;
    remember(wanted);
    onSwitched(isOn);
  });
}

export function allOff() {
  remember(new Set());
}

/** Whether the platform did it; either way the timeline has it. */
export async function attempt(run, title, detail) {
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

export const row = (id, title) =>
  element('button', { id, type: 'button', class: 'row' }, element('span', {}, title));
