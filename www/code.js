/** The listings: the widget that is up in each way that the package offers, and the relay's configuration. */
import { remember, remembered } from './address.js';
import { byId, element } from './dom.js';
import { highlight } from './highlight.js';
import { drawTabs } from './tabs.js';

const EXAMPLE_DOMAIN = 'https://acme.qrvey.example';

/** A value as a person would write it in JavaScript. */
function literal(value, indent) {
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, indent)).join(', ')}]`;
  if (value === null || typeof value !== 'object') {
    return JSON.stringify(value).replace(/^"([^'\\]*)"$/, "'$1'");
  }
  const key = (name) => (/^[\w$]+$/.test(name) ? name : `'${name}'`);
  const members = Object.entries(value).map(
    ([name, member]) => `${key(name)}: ${literal(member, `${indent}  `)}`,
  );
  const line = `{ ${members.join(', ')} }`;
  if (line.length + indent.length < 64) return members.length === 0 ? '{}' : line;
  return `{\n${members.map((member) => `${indent}  ${member},\n`).join('')}${indent}}`;
}

/** The options beside widget, settings and container. */
const more = ({ widget, renew }) => [
  ...(widget.hasNoToken ? [['domain', EXAMPLE_DOMAIN]] : []),
  ...(renew === 'seamless' ? [] : [['renew', renew]]),
];

const attributes = (choice) =>
  more(choice)
    .map(([name, value]) => ` ${name}="${value}"`)
    .join('');

const ways = [
  {
    id: 'plain',
    name: 'JavaScript',
    note: 'npm install qrvey-auth, or an import map, as on this page.',
    parts: (choice) => {
      const { widget, settings } = choice;
      const options = [
        `widget: '${widget.id}'`,
        `container: '#${widget.id}'`,
        ...(settings ? [`settings: ${literal(settings, '    ')}`] : []),
        ...more(choice).map(([name, value]) => `${name}: '${value}'`),
      ];
      const call = `await embed({\n${options.map((option) => `    ${option},\n`).join('')}  });\n`;
      const event = `\n  // Only if you want to know: nothing is left to do.\n  widget.addEventListener('renewed', () => console.log('renewed'));\n`;
      const script = widget.hasNoToken ? `  ${call}` : `  const widget = ${call}${event}`;
      return [
        ['html', `<div id="${widget.id}"></div>\n\n<script type="module">\n`],
        ['js', `  import { embed } from 'qrvey-auth';\n\n${script}`],
        ['html', '</script>\n'],
      ];
    },
  },
  {
    id: 'react',
    name: 'React',
    note: 'React 18 and 19, StrictMode and server rendering included.',
    parts: (choice) => {
      const { widget, settings } = choice;
      const given = settings ? `const settings = ${literal(settings, '')};\n\n` : '';
      const passed = settings ? ' settings={settings}' : '';
      const tag = `<QrveyWidget widget="${widget.id}"${passed}${attributes(choice)} />`;
      return [
        [
          'js',
          `import { QrveyWidget } from 'qrvey-auth/react';\n\n${given}export function ${pascal(widget)}() {\n  return ${tag};\n}\n`,
        ],
      ];
    },
  },
  {
    id: 'vue',
    name: 'Vue',
    note: 'Vue 3.3 and later. New settings update the widget.',
    parts: (choice) => {
      const { widget, settings } = choice;
      const given = settings ? `\nconst settings = ${literal(settings, '')};\n` : '';
      const passed = settings ? ' :settings="settings"' : '';
      return [
        ['html', '<script setup>\n'],
        ['js', `import { QrveyWidget } from 'qrvey-auth/vue';\n${given}`],
        [
          'html',
          `</script>\n\n<template>\n  <QrveyWidget widget="${widget.id}"${passed}${attributes(choice)} />\n</template>\n`,
        ],
      ];
    },
  },
  {
    id: 'element',
    name: 'Element',
    note: 'For Angular, Svelte, or no framework at all; it fires the events of embed().',
    parts: (choice) => {
      const { widget, settings } = choice;
      const json = JSON.stringify(settings ?? {})
        .replaceAll('&', '&amp;')
        .replaceAll("'", '&#39;');
      const passed = settings ? `\n  settings='${json}'` : '';
      return [
        ['html', '<script type="module">\n'],
        ['js', `  import 'qrvey-auth/element';\n`],
        [
          'html',
          `</script>\n\n<qrvey-widget widget="${widget.id}"${attributes(choice)}${passed}></qrvey-widget>\n`,
        ],
      ];
    },
  },
  {
    id: 'token',
    name: 'Token only',
    note: 'For widgets that you put on the page yourself, and for calls of Qrvey’s API.',
    parts: () => [
      [
        'js',
        `import { getComposerToken, watch } from 'qrvey-auth';

// From memory, or from the relay; a thousand calls make one request.
const qvToken = await getComposerToken();

// Or with every renewal, for a client of your own.
await watch(({ token }) => client.setToken(token));
`,
      ],
    ],
  },
];

const pascal = ({ name }) => name.replaceAll(/[^A-Za-z]/g, '');

const relay = `[qrvey]
domain = "${EXAMPLE_DOMAIN}"

[identity]
mode = "forward"
url = "http://127.0.0.1:3000/session"

[profiles.default]
userid = "Jm4xq0Zpt"
appid = "tK9vD2mQe"
expires_in = "10m"
clientid = { claim = "sub" }

[[profiles.default.permissions]]
dataset_id = "*"
record_permissions = [
  { security_name = "tenant", values = { claim = "tenants" } },
]
`;

let choice;
let [way] = ways;
let page = '';

export function startCode() {
  const mark = drawTabs(
    byId('code-tabs'),
    ways.map((each) => ({ ...each, way: each, panel: byId('listing-panel') })),
    (tab) => {
      way = tab.way;
      remember('way', way.id);
      drawPage();
    },
  );
  way = ways.find(({ id }) => id === remembered('way')) ?? way;
  mark(way.id);
  byId('code-relay').replaceChildren(...highlight('toml', relay));
  copies('copy-page', () => page);
  copies('copy-relay', () => relay);
}

/** @param chosen `{ widget, settings, renew }` */
export function drawCode(chosen, me) {
  choice = chosen;
  drawPage();
  byId('code-claims').replaceChildren(...claimsNote(me));
}

function drawPage() {
  const parts = way.parts(choice);
  page = parts.map(([, text]) => text).join('');
  byId('code-page').replaceChildren(...parts.flatMap(([language, text]) => highlight(language, text)));
  byId('code-note').textContent = way.note;
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
