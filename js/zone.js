// zone.js, which Angular applications bring along, lets an application wait for every timer and request
// that is begun within its zone. Renewal goes on for ever and is none of the application's business.

/** Runs something outside of every zone. */
export function outside(action) {
  const { root } = globalThis.Zone ?? {};
  return root ? root.run(action) : action();
}

/** Makes a function that runs in the zone of this moment, so that its application notices. */
export function inThisZone(action) {
  const { current } = globalThis.Zone ?? {};
  return current ? current.wrap(action, 'qrvey-auth') : action;
}
