/** The buttons of “Try it”: each calls the module in one way and leaves the answer to the timeline. */
import { element } from './dom.js';
import { ask, askAtOnce } from './tokens.js';

const AT_ONCE = 1_000;

const experiments = [
  { id: 'ask', title: 'Ask for a token', hint: 'getComposerToken()', run: () => ask('composer') },
  {
    id: 'ask-many',
    title: 'Ask 1,000 times at once',
    hint: '1,000 × forced',
    run: () => askAtOnce(AT_ONCE),
  },
  {
    id: 'ask-force',
    title: 'Force a new one',
    hint: 'forceRefresh: true',
    run: () => ask('composer', { forceRefresh: true }),
  },
  { id: 'ask-admin', title: 'Ask as admin', hint: 'getAdminToken()', run: () => ask('admin') },
  {
    id: 'ask-profile',
    title: 'Ask as a team lead',
    hint: "profile: 'attention'",
    run: () => ask('composer', { profile: 'attention' }),
  },
  {
    id: 'ask-unknown-profile',
    title: 'Name a wrong profile',
    hint: "profile: 'nobody'",
    run: () => ask('composer', { profile: 'nobody' }),
  },
  {
    id: 'ask-misspelt',
    title: 'Misspell an option',
    hint: "profil: 'default'",
    run: () => ask('composer', { profil: 'default' }),
  },
];

/** @param onRefused called with what a call rejected with; the timeline has it already. */
export function drawExperiments(list, onRefused) {
  list.replaceChildren(...experiments.map((experiment) => element('li', {}, button(experiment, onRefused))));
}

function button({ id, title, hint, run }, onRefused) {
  const node = element(
    'button',
    { id, type: 'button', class: 'row' },
    element('span', {}, title),
    element('code', {}, hint),
  );
  node.addEventListener('click', async () => {
    try {
      await run();
    } catch (error) {
      onRefused(error);
    }
  });
  return node;
}
