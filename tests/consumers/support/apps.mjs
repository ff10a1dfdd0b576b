// The packed tarball, installed in a copy of each small application.

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './program.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const APPS = fileURLToPath(new URL('../apps/', import.meta.url));

/** The applications that also bundle the ways in for frameworks. */
export const WITH_WIDGETS = ['esbuild', 'parcel', 'rollup', 'vite', 'webpack'];

/** The package as it would be published: where its tarball is, and its unpacked files. */
export async function pack() {
  const folder = await mkdtemp(join(tmpdir(), 'qrvey-auth-consumers-'));
  await run(ROOT, 'npm', 'pack', '--silent', '--pack-destination', folder);
  const [tarball] = await readdir(folder);
  await run(folder, 'tar', '-xzf', tarball);
  return {
    tarball: join(folder, tarball),
    module: join(folder, 'package/dist/index.js'),
    /** A folder with the application `name` and its packages; `others` take the place of its own versions. */
    async install(name, ...others) {
      const app = join(folder, [name, ...others].join('-'));
      await cp(join(APPS, name), app, { recursive: true });
      if (WITH_WIDGETS.includes(name)) await addWidgets(app);
      const options = [
        '--no-audit',
        '--no-fund',
        '--no-package-lock',
        '--prefer-offline',
        '--loglevel=error',
      ];
      await run(app, 'npm', 'install', ...options, join(folder, tarball), ...others);
      return app;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A second page and script beside the first, which is about the token. */
async function addWidgets(app) {
  const page = await readFile(join(app, 'index.html'), 'utf8');
  await writeFile(join(app, 'widgets.html'), page.replace('main.js', 'widgets.js'));
  await cp(join(APPS, 'widgets.js'), join(app, 'widgets.js'));
}

/** A command of the root's own `node_modules`. */
export const tool = (name) => join(ROOT, 'node_modules/.bin', name);

/** A file of the repository. */
export const source = (path) => join(ROOT, path);
