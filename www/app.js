/** The page as a whole: who is signed in, what is chosen, and what happens when either changes. */
import { remember, remembered } from './address.js';
import { hideAlert, showAlert } from './alert.js';
import { drawCode, startCode } from './code.js';
import { byId, element } from './dom.js';
import { drawExperiments } from './experiments.js';
import { count } from './format.js';
import { gallery } from './gallery.js';
import * as host from './host.js';
import { drawIdentity, signInCards, whatWillHappen } from './identity.js';
import { change, isUp, leave, show } from './live.js';
import { observeRequests } from './requests.js';
import { expireAll, startSandbox } from './sandbox.js';
import { keepScrollable } from './scrollers.js';
import { drawSettings, startSettings } from './settings.js';
import { startShow } from './show.js';
import { say, setStage } from './stage.js';
import { drawTabs } from './tabs.js';
import { addEntry, onEntry, openEntry } from './timeline.js';
import { countCalls, failure, forget } from './tokens.js';

const VIEWS = ['live', 'code', 'settings'];

let users = [];
let info;
let me = null;
/** `{ widget, settings, renew }` */
let choice;
let showView;
let markWidget;

export async function start() {
  [users, info, me] = await Promise.all([host.users(), host.info(), host.session()]);
  const isSandbox = info.mode === 'sandbox';
  byId('mode').textContent = isSandbox ? 'Sandbox' : 'Live platform';
  observeRequests(info.domain);
  const offered = gallery.filter(({ itemIds }) => isSandbox || !itemIds);
  drawGallery(offered);
  startCode();
  startSettings(applySettings);
  const rememberView = ({ id }) => remember('view', id === VIEWS[0] ? undefined : id);
  showView = drawTabs(byId('view-tabs'), panels(...VIEWS), rememberView);
  drawPanelTabs(isSandbox);
  drawExperiments(byId('experiments'), onRefused);
  countCalls((calls) => {
    byId('calls-count').textContent = count(calls);
  });
  byId('sign-out').addEventListener('click', signOut);
  listenToTheBrowser();
  keepScrollable(byId('viewport'), ...document.querySelectorAll('pre, .timeline-scroll'));
  // Before the first token is asked for, so that the count of mints starts at zero.
  if (isSandbox) await startSandbox(info.domain);
  else for (const id of ['mints', 'sandbox-link']) byId(id).hidden = true;
  if (isSandbox) startShow({ bringUp, expireAll });
  restore(offered);
  enter(me);
}

/** The first widget of all, renewed as nobody notices; resolves when it stands. */
function bringUp() {
  const [widget] = gallery;
  markWidget(widget.id);
  remember('widget');
  choose(widget, 'seamless');
  showLive();
  return me ? show(choice, info.domain, onRefused) : signIn(users[0]);
}

/** What the address says, if it says what there is. */
function restore(offered) {
  const widget = offered.find(({ id }) => id === remembered('widget')) ?? offered[0];
  markWidget(widget.id);
  choose(widget);
  const view = remembered('view');
  if (VIEWS.includes(view)) showView(view);
}

const panels = (...ids) => ids.map((id) => ({ id, name: NAMES[id], panel: byId(`${id}-panel`) }));

const NAMES = {
  live: 'Live',
  code: 'Code',
  settings: 'Settings',
  happened: 'What happened',
  try: 'Try it',
  break: 'Break it',
};

function drawGallery(offered) {
  const select = byId('widget-select');
  select.replaceChildren(...offered.map(({ id, name }) => element('option', { value: id }, name)));
  const tabs = offered.map((widget) => ({ ...widget, widget, panel: byId('view') }));
  markWidget = drawTabs(byId('widget-tabs'), tabs, ({ widget }) => embedChosen(widget), { isCostly: true });
  select.addEventListener('change', () => {
    markWidget(select.value);
    embedChosen(offered.find(({ id }) => id === select.value));
  });
}

/** The newest entry stays in sight while another tab than the timeline’s is open. */
function drawPanelTabs(isSandbox) {
  const ids = isSandbox ? ['happened', 'try', 'break'] : ['happened', 'try'];
  const latest = byId('latest');
  drawTabs(byId('panel-tabs'), panels(...ids), ({ id }) => {
    latest.hidden = id === 'happened';
  });
  onEntry(({ kind, title, code }) => {
    latest.dataset.kind = kind;
    latest.replaceChildren(title, ...(code ? [' ', element('code', {}, code)] : []));
  });
}

function showLive() {
  showView('live');
  remember('view');
}

function listenToTheBrowser() {
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') checkSession();
  });
  window.addEventListener('offline', () => {
    addEntry({ kind: 'expired', title: 'The browser is offline' });
    say('The browser is offline. What you see and typed stays.', 'warning');
  });
  window.addEventListener('online', () => {
    addEntry({ kind: 'session', title: 'The browser is online again' });
    say('Online again. Go on where you were.', 'good');
  });
}

function choose(widget, renew = choice?.renew ?? 'seamless') {
  choice = { widget, settings: widget.settings, renew };
  byId('widget-select').value = widget.id;
  byId('view-title').textContent = widget.name;
  drawCode(choice, me);
  drawSettings(choice);
}

function embedChosen(widget) {
  remember('widget', widget.id);
  choose(widget);
  if (me) show(choice, info.domain, onRefused);
}

/** Rejects where the module refuses the settings; what is shown stays then. */
async function applySettings({ settings, renew }) {
  const isSameRenewal = renew === choice.renew;
  if (me && isUp()) {
    await change(settings ?? {});
    addEntry({
      kind: 'widget',
      title: `${choice.widget.name} has new settings`,
      detail: 'update() mounted it anew.',
    });
  }
  choice = { ...choice, settings, renew };
  drawCode(choice, me);
  showLive();
  // The button that had the focus is out of sight now.
  byId('tab-live').focus();
  if (!me) return;
  if (isUp() && isSameRenewal) say('New settings: the widget was mounted anew with the token that it had.');
  else await show(choice, info.domain, onRefused);
}

/** Draws the page for `claims`, or for nobody; resolves when the widget stands, or does not. */
async function enter(claims) {
  me = claims;
  drawIdentity(users, me, signIn);
  drawCode(choice, me);
  if (me) return show(choice, info.domain, onRefused);
  setStage(
    'signed-out',
    'Sign in, and the widget comes up with that person’s rows.',
    element('h3', {}, 'Sign in as'),
    signInCards(users, signIn),
    whatWillHappen(),
  );
}

async function signIn(user) {
  const entry = openEntry(`Signing in as ${user.name}`);
  leave();
  setStage('loading', `Signing in as ${user.name}.`);
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
    const entered = enter(claims);
    byId(`switch-${user.id}`).focus();
    await entered;
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
    showLive();
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

/** The timeline has told it; what is left is to notice that the session is gone. */
function onRefused(error) {
  if (error?.code === 'not_signed_in' && me) checkSession();
}

function onHostError(error) {
  showAlert(error.message, 'Dismiss', hideAlert);
}
