/** The widget on the stage: brought up by `embed()`, and what becomes of it told to the page. */
import { embed, getComposerToken, watch } from 'qrvey-auth';
import { byId } from './dom.js';
import { retryIn } from './format.js';
import { expectRenewal, showFailedRenewal, showLifetime } from './lifetime.js';
import { failureMessage, say, setStage } from './stage.js';
import { tick } from './strip.js';
import { addEntry, openEntry } from './timeline.js';
import { failure } from './tokens.js';

/** Ends what is on the stage or on its way there. */
let life = new AbortController();
let chosen;
let renewsWith;
let embedded;
/** The settings that the running widget has, and its element: the same one for as long as nothing is lost. */
let applied;
let element;
/** Whether the widget itself was told that its token is over, since there was a new one. */
let wasTold = false;

export function leave() {
  life.abort();
  embedded = undefined;
}

/** Embeds the widget anew; `onRefused` hears of an error that may mean that the session is gone. */
export async function show({ widget, settings, renew }, domain, onRefused) {
  leave();
  life = new AbortController();
  const { signal } = life;
  const { name } = widget;
  const again = () => show({ widget, settings, renew }, domain, onRefused);
  chosen = widget;
  renewsWith = renew;
  wasTold = false;
  setStage('loading', `${name} is loading.`);
  expectRenewal(renew !== 'off');
  showLifetime(null, widget.hasNoToken ? 'This widget has no token and asks for none.' : undefined);
  const entry = openEntry(`Embedding ${name}`);
  const startedAt = performance.now();
  try {
    if (!widget.hasNoToken) follow(renew, signal);
    embedded = await embed({
      widget: widget.id,
      container: byId('widget'),
      // The relay names the address along with the token; without a token the page has to.
      ...(widget.hasNoToken && { domain }),
      ...(settings && { settings }),
      ...(renew !== 'seamless' && { renew }),
      ...listeners(onRefused),
      signal,
    });
    ({ element } = embedded);
    applied = settings;
    setStage('ready', invitation(widget));
    entry.close({ kind: 'widget', title: `${name} embedded`, durationMs: performance.now() - startedAt });
  } catch (error) {
    if (signal.aborted) {
      entry.close({ kind: 'cancelled', title: `${name} left before it was up` });
      return;
    }
    setStage('failed', `${name} could not be shown.`, ...failureMessage(error, again));
    entry.close(failure(error, performance.now() - startedAt));
    onRefused(error);
  }
}

/** Gives the running widget these settings and no others; rejects where the module refuses them. */
export async function change(settings) {
  const dropped = Object.keys(applied ?? {}).filter((key) => !(key in settings));
  await embedded.update({ ...Object.fromEntries(dropped.map((key) => [key, undefined])), ...settings });
  ({ element } = embedded);
  applied = settings;
}

export const isUp = () => embedded !== undefined;

/** What the person may do now that all tokens are dead. */
export function onExpiredByHand() {
  if (!isUp()) return;
  wasTold = false;
  if (chosen.hasNoToken) {
    say('Every token is dead. This widget has none, and does not notice.');
    return;
  }
  const outlook = {
    seamless: 'and nobody should notice',
    remount: 'and the widget is made anew',
    off: 'and that is the end',
  };
  say(`Every token is dead. Now ${chosen.act}: Qrvey refuses, ${outlook[renewsWith]}.`, 'warning');
}

function invitation({ hasNoToken, begin }) {
  if (hasNoToken) return 'A web form is for everybody: no token was asked for, none can expire.';
  // What is to be found in a real widget, only its maker knows.
  if (byId('revoke').hidden) return 'Its token is renewed before it ends: go on as long as you like.';
  return `${begin}, then expire all tokens.`;
}

/** The ring shows the token that the widget has; who watches it shares the widget’s own request. */
function follow(renew, signal) {
  const details = { detailedResponse: true, signal };
  const following =
    renew === 'off' ? getComposerToken(details).then(showLifetime) : watch(showLifetime, { signal });
  // `embed` rejects with the same error, and that one is shown.
  following.catch(() => {});
}

const listeners = (onRefused) => ({
  onExpiring: () => addEntry({ kind: 'pending', title: 'The token ends soon: renewing' }),
  onRenewed: () => {
    tick('renewals');
    const { title, detail, tone } = renewal();
    addEntry({ kind: 'renewed', title, detail });
    say(`${title}. ${detail}`, tone);
    ({ element } = embedded ?? {});
    wasTold = false;
  },
  onFailed: ({ detail: { error, retryInMs } }) => {
    tick('renewals', { tone: 'bad' });
    showFailedRenewal(retryInMs);
    const told = failure(error);
    addEntry({ ...told, title: 'A renewal failed; the widget stays' });
    say(`The renewal failed (${told.code}); the widget stays. ${retryIn(retryInMs)}`, 'warning');
    onRefused(error);
  },
  onExpired: () => addEntry({ kind: 'expired', title: 'The token has ended with no other in its place' }),
  onRemounted: ({ detail: { reason } }) => {
    if (reason === 'out_of_reach') {
      addEntry({
        kind: 'expired',
        title: 'A frame of the widget was out of reach',
        detail: 'It was re-mounted.',
      });
    }
  },
  onQvTokenExpired: ({ detail }) => {
    // Each refused request fires it; once is enough to be told.
    if (wasTold) return;
    wasTold = true;
    const trigger = detail?.trigger ?? 'a widget';
    addEntry({ kind: 'expired', title: 'The widget was refused', detail: `qvTokenExpired from ${trigger}.` });
    if (renewsWith === 'off') say('The widget was refused, and nobody renews its token.', 'warning');
  },
});

/** A renewal as a person at the widget met it. */
function renewal() {
  if (embedded?.element !== element) {
    return {
      title: 'Renewed by a re-mount',
      detail: 'A new element, with nothing in it that a person had done.',
      tone: 'warning',
    };
  }
  if (wasTold) {
    return {
      title: 'Renewed, if late',
      detail: 'The widget had been refused by then. “Try again” in it goes on where it was.',
      tone: 'good',
    };
  }
  return {
    title: 'Renewed, and nobody noticed',
    detail: 'Same element: filters, text and scroll position stayed.',
    tone: 'good',
  };
}
