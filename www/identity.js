/** Who is signed in, and the ways to change that: cards while nobody is, a switcher afterwards. */
import { byId, element } from './dom.js';
import { initials } from './format.js';

/** Tints go by tenant, so that a change of tenant can be seen at a glance. */
export function tintOf(users, tenant) {
  const tenants = [...new Set(users.map((user) => user.tenant))];
  return String(tenants.indexOf(tenant));
}

const roleOf = (user) => (user.roles.includes('qrvey-admin') ? 'analyst and administrator' : 'analyst');

function face(users, user) {
  return element(
    'span',
    { class: 'face', 'data-tint': tintOf(users, user.tenant), 'aria-hidden': 'true' },
    initials(user.name),
  );
}

/** The cards of the signed-out state. */
export function signInCards(users, onChoose) {
  return element(
    'ul',
    { class: 'people' },
    ...users.map((user) => {
      const card = element(
        'button',
        { type: 'button', id: `sign-in-${user.id}`, class: 'person' },
        face(users, user),
        element(
          'span',
          { class: 'person-name' },
          element('span', { class: 'visually-hidden' }, 'Sign in as '),
          user.name,
        ),
        element(
          'span',
          { class: 'person-facts' },
          element('span', {}, user.tenantName),
          element('span', {}, roleOf(user)),
        ),
      );
      card.addEventListener('click', () => onChoose(user));
      return element('li', {}, card);
    }),
  );
}

const steps = [
  ['You sign in', 'to the host application, as ever. Its session says who you are.'],
  ['The page asks', 'the relay for a token, and sends nothing that could widen your rights.'],
  ['The relay decides', 'from the session whose rows you may see, adds the API key, asks Qrvey.'],
  ['The widget draws', 'your tenant’s rows. The page keeps the token in memory, and nowhere else.'],
];

/** What signing in sets off, for whoever has not done it yet. */
export function whatWillHappen() {
  const items = steps.map(([title, detail]) => element('li', {}, element('strong', {}, title), detail));
  return element('ol', { class: 'steps' }, ...items);
}

function label(users, me) {
  if (!me) return 'Nobody is signed in. Each person sees the rows of their own tenant, and no others.';
  const tenantName = users.find(({ tenant }) => tenant === me.tenant)?.tenantName ?? me.tenant;
  return `Signed in to ${tenantName} as`;
}

/** Draws the bar above the widget for `me`, or for nobody. */
export function drawIdentity(users, me, onChoose) {
  byId('identity-label').textContent = label(users, me);
  byId('sign-out').hidden = !me;
  byId('stage').dataset.tint = me ? tintOf(users, me.tenant) : '';
  const buttons = users.map((user) => {
    const button = element(
      'button',
      {
        type: 'button',
        id: `switch-${user.id}`,
        class: 'switch',
        'aria-pressed': String(user.id === me?.sub),
      },
      face(users, user),
      element('span', { class: 'switch-name' }, user.name),
      element('span', { class: 'switch-tenant' }, user.tenantName),
    );
    button.addEventListener('click', () => {
      if (user.id !== me?.sub) onChoose(user);
    });
    return button;
  });
  byId('switcher').replaceChildren(...(me ? buttons : []));
}
