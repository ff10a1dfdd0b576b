// The listings of the demo page, built as their readers would: one page for each way, with every widget on it.

import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MODULES = fileURLToPath(new URL('../apps/gallery/node_modules/', import.meta.url));

const page = (body) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>listings</title>${body}</html>`;
const script = (name) => page(`<main></main><script type="module" src="./${name}"></script>`);

/** What surrounds the listings of a way, by name: a page, and files beside it. */
const WAYS = {
  plain: (listings) => ({ 'plain.html': page(Object.values(listings).join('\n')) }),
  element: (listings) => ({ 'element.html': page(Object.values(listings).join('\n')) }),
  react: (listings) => {
    const names = Object.keys(listings);
    const imports = names.map((name, n) => `import * as Listing${n} from './react/${name}.jsx';`).join('\n');
    const all = names.map((_, n) => `Listing${n}`).join(', ');
    return {
      'react.html': script('react.jsx'),
      'react.jsx': `${imports}
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
const components = [${all}].flatMap((listing) => Object.values(listing));
createRoot(document.querySelector('main')).render(
  <StrictMode>{components.map((Component, n) => <Component key={n} />)}</StrictMode>,
);`,
      ...files('react', 'jsx', listings),
    };
  },
  vue: (listings) => {
    const names = Object.keys(listings);
    const imports = names.map((name, n) => `import Listing${n} from './vue/${name}.vue';`).join('\n');
    const all = names.map((_, n) => `Listing${n}`).join(', ');
    return {
      'vue.html': script('vue.js'),
      'vue.js': `${imports}
import { createApp, h } from 'vue';
createApp({ render: () => [${all}].map((listing) => h(listing)) }).mount('main');`,
      ...files('vue', 'vue', listings),
    };
  },
  // It names a client that its reader has.
  token: ([listing]) => ({
    'token.html': script('token.js'),
    'token.js': `globalThis.client = { setToken: (token) => { client.length = token.length; } };\n${listing}`,
  }),
};

const files = (folder, ending, listings) =>
  Object.fromEntries(Object.entries(listings).map(([name, text]) => [`${folder}/${name}.${ending}`, text]));

/** A folder whose `dist` will have a page for each way. */
export async function listingsFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'qrvey-auth-listings-'));
  await mkdir(join(folder, 'dist'));
  const modules = join(folder, 'node_modules');
  await mkdir(modules);
  for (const name of await readdir(MODULES)) await symlink(join(MODULES, name), join(modules, name));
  await symlink(ROOT, join(modules, 'qrvey-auth'));
  return {
    dist: join(folder, 'dist'),
    remove: () => rm(folder, { recursive: true, force: true }),
    /** @param listings by way, then by widget */
    async build(listings) {
      const written = Object.assign({}, ...Object.entries(listings).map(([way, of]) => WAYS[way](of)));
      for (const [name, text] of Object.entries(written)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), text);
      }
      const { build } = await import(join(MODULES, 'vite/dist/node/index.js'));
      const { default: vue } = await import(join(MODULES, '@vitejs/plugin-vue/dist/index.mjs'));
      await build({
        root: folder,
        configFile: false,
        logLevel: 'warn',
        plugins: [vue()],
        // The package is a link to this repository here, and its frameworks are those of the application.
        resolve: { dedupe: ['react', 'react-dom', 'vue'] },
        build: {
          target: 'es2022',
          rollupOptions: { input: Object.keys(listings).map((way) => join(folder, `${way}.html`)) },
        },
      });
    },
  };
}
