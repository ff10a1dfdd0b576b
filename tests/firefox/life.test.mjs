// How widgets come and go, by themselves and in applications, in Firefox: the tests of `tests/embed`.

process.env.EMBED_BROWSER = 'firefox';
await import('../embed/life.test.mjs');
await import('../embed/apps.test.mjs');
