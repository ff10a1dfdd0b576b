/** The listings of “All you write”, for the widget that is up. */
import { byId, element } from './dom.js';
import { highlight } from './highlight.js';

const EXAMPLE_DOMAIN = 'https://acme.qrvey.example';

const settingsOf = ({ settings }) =>
  Object.entries(settings)
    .map(([key, value]) => `, ${key}: ${JSON.stringify(value).replaceAll('"', "'")}`)
    .join('');

const pageScript = (widget) => `import { getComposerToken } from 'qrvey-auth';
const qvToken = await getComposerToken();
window.${widget.global} = { domain: '${EXAMPLE_DOMAIN}', qvToken${settingsOf(widget)} };
`;

const pageMarkup = ({ tag, attribute, launchers, global }) => {
  const kind = ({ type, nomodule }) => (type ? ` type="${type}"` : nomodule ? ' nomodule' : '');
  const scripts = launchers.map(
    (launcher) => `<script${kind(launcher)} src="${EXAMPLE_DOMAIN}/${launcher.path}"></script>\n`,
  );
  return `<!-- The widget, as Qrvey documents it. -->\n${scripts.join('')}<${tag} ${attribute}="${global}"></${tag}>\n`;
};

const relay = `qrvey.domain = "${EXAMPLE_DOMAIN}"
identity = { mode = "forward", url = "http://127.0.0.1:3000/session" }

[profiles.default]
userid = "Jm4xq0Zpt"
appid = "tK9vD2mQe"
expires_in = "10m"
clientid = { claim = "sub" }

[[profiles.default.permissions]]
dataset_id = "*"
record_permissions = [{ security_name = "tenant", values = { claim = "tenants" } }]
`;

let page = '';

export function drawCode(widget, me) {
  const script = pageScript(widget);
  const markup = pageMarkup(widget);
  page = `${script}\n${markup}`;
  byId('code-page').replaceChildren(...highlight('js', script), '\n', ...highlight('html', markup));
  byId('code-relay').replaceChildren(...highlight('toml', relay));
  byId('code-claims').replaceChildren(...claimsNote(me));
}

/** What the relay puts in for whoever is signed in. */
function claimsNote(me) {
  const key = 'The API key comes from the environment, QRVEY_API_KEY.';
  if (!me) return [`${key} Each { claim = … } is filled in from the session, on the server.`];
  return [
    `${key} For ${me.name}, clientid becomes `,
    element('code', {}, JSON.stringify(me.sub)),
    ' and the tenant ',
    element('code', {}, JSON.stringify(me.tenants)),
    '.',
  ];
}

function copies(buttonId, text) {
  const button = byId(buttonId);
  button.addEventListener('click', async () => {
    const done = await navigator.clipboard.writeText(text()).then(
      () => true,
      () => false,
    );
    button.textContent = done ? 'Copied' : 'Select and copy';
    byId('copy-status').textContent = done
      ? 'Copied to the clipboard.'
      : 'The browser did not allow copying.';
    setTimeout(() => {
      button.textContent = 'Copy';
      byId('copy-status').textContent = '';
    }, 2_000);
  });
}

copies('copy-page', () => page);
copies('copy-relay', () => relay);
