/** The page as a whole: who is signed in, which widget is up, and what happens when either changes. */
import { hideAlert, showAlert } from './alert.js';
import { drawCode } from './code.js';
import { byId, element } from './dom.js';
import { drawExperiments } from './experiments.js';
import { count } from './format.js';
import * as host from './host.js';
import { drawIdentity, signInCards, whatWillHappen } from './identity.js';
import { onRequests } from './requests.js';
import { startSandbox } from './sandbox.js';
import { keepScrollable } from './scrollers.js';
import { failureMessage, setStage } from './stage.js';
import { drawTabs } from './tabs.js';
import { addEntry, openEntry } from './timeline.js';
import { ask, countCalls, failure, forget } from './tokens.js';
import { mount, widgets } from './widget.js';

/** A platform that refuses a token this young would refuse the next one as well. */
const YOUNG_TOKEN_MS = 5_000;

let users = [];
let info;
let gallery = [];
let me = null;
let widget;
/** Ends whatever is on the stage or on its way there. */
let leave = () => {};
let mountedAt = 0;

export async function start() {
  [users, info, me] = await Promise.all([host.users(), host.info(), host.session()]);
  const sandbox = info.mode === 'sandbox';
  gallery = widgets.filter((candidate) => sandbox || !candidate.sandboxOnly);
  [widget] = gallery;
  byId('mode').textContent = sandbox ? 'Sandbox' : 'Live platform';

  countCalls((calls) => {
    byId('calls-count').textContent = count(calls);
  });
  onRequests((requests) => {
    byId('requests-count').textContent = count(requests);
  });
  byId('sign-out').addEventListener('click', signOut);
  drawTabs(
    byId('widget-tabs'),
    gallery.map((candidate) => ({ ...candidate, widget: candidate, panel: byId('viewport') })),
    (tab) => {
      widget = tab.widget;
      drawCode(widget, me);
      if (me) show();
    },
  );
  const experiments = [
    { id: 'try', name: 'Try it', panel: byId('try-panel') },
    { id: 'break', name: 'Break it', panel: byId('break-panel') },
  ];
  drawTabs(byId('experiment-tabs'), sandbox ? experiments : experiments.slice(0, 1), () => {});
  drawExperiments(byId('experiments'), onRefused);
  window.addEventListener('qvTokenExpired', onTokenExpired);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') checkSession();
  });
  keepScrollable(byId('viewport'), ...document.querySelectorAll('pre, .timeline-scroll'));
  // Before the first token is asked for, so that the count of mints starts at zero.
  if (sandbox) await startSandbox(info.domain);
  else for (const id of ['mints', 'sandbox-link']) byId(id).hidden = true;

  enter(me);
}

/** Draws the page for `claims`, or for nobody. */
function enter(claims) {
  me = claims;
  drawIdentity(users, me, signIn);
  drawCode(widget, me);
  if (me) {
    show();
    return;
  }
  byId('view-source').textContent = '';
  setStage(
    'signed-out',
    'Nobody is signed in.',
    element('h3', {}, 'Sign in as'),
    signInCards(users, signIn),
    whatWillHappen(),
  );
}

async function signIn(user) {
  const entry = openEntry(`Signing in as ${user.name}`);
  leave();
  setStage('loading', `Signing in as ${user.name}`);
  try {
    const claims = await host.signIn(user.id);
    // Between the two sessions, so that no token of the one serves the other.
    forget();
    hideAlert();
    entry.close({
      kind: 'session',
      title: `Signed in as ${user.name}`,
      detail: `Tenant ${user.tenantName}.`,
    });
    enter(claims);
    byId(`switch-${user.id}`).focus();
  } catch (error) {
    entry.close(failure(error));
    onHostError(error);
    enter(me);
  }
}

async function signOut() {
  const entry = openEntry('Signing out');
  leave();
  try {
    await host.signOut();
    forget();
    entry.close({ kind: 'session', title: 'Signed out', detail: 'clearTokens() has forgotten every token.' });
    enter(null);
    byId(`sign-in-${users[0].id}`).focus();
  } catch (error) {
    entry.close(failure(error));
    onHostError(error);
    enter(me);
  }
}

/** Another tab may have signed out, or somebody else in. */
async function checkSession() {
  const claims = await host.session().catch(() => me);
  if (claims?.sub === me?.sub) return;
  leave();
  forget();
  addEntry({ kind: 'session', title: claims ? `Now signed in as ${claims.name}` : 'The session has ended' });
  enter(claims);
}

/** Brings the chosen widget up with a token; `options` are for the token. */
async function show(options) {
  leave();
  const controller = new AbortController();
  const { signal } = controller;
  leave = () => controller.abort();
  const { name } = widget;
  setStage('loading', `${name} is loading`);
  try {
    const { token, domain = info.domain } = await ask('composer', { ...options, signal });
    byId('view-source').textContent = `rows from ${new URL(domain).host}`;
    const unmount = await mount(widget, byId('widget'), { domain, token, signal });
    if (signal.aborted) return unmount();
    leave = unmount;
    mountedAt = performance.now();
    setStage('ready', `${name} is shown`);
    addEntry({ kind: 'widget', title: `${name} mounted`, detail: 'It holds the token from here on.' });
  } catch (error) {
    if (signal.aborted) return;
    setStage('failed', `${name} could not be shown`, ...failureMessage(error, () => show()));
    if (error?.code === 'widget_load_failed') addEntry(failure(error));
    onRefused(error);
  }
}

/** Qrvey’s documented way: a new token, and the widget made anew with it. */
function onTokenExpired(event) {
  if (!me || byId('stage').dataset.state !== 'ready') return;
  const young = performance.now() - mountedAt < YOUNG_TOKEN_MS;
  addEntry({
    kind: 'expired',
    title: 'The platform refused the widget’s token',
    detail: `qvTokenExpired from ${event.detail?.trigger ?? 'a widget'}.`,
  });
  if (young) {
    const error = new Error('The platform refused a token that was only just issued. Is its clock right?');
    leave();
    setStage('failed', 'The token was refused', ...failureMessage(error, () => show({ forceRefresh: true })));
    return;
  }
  show({ forceRefresh: true });
}

/** The timeline has told it; what is left is to notice that the session is gone. */
function onRefused(error) {
  if (error?.code === 'not_signed_in' && me) checkSession();
}

function onHostError(error) {
  showAlert(error.message, 'Dismiss', hideAlert);
}
