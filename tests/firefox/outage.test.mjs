// What takes its time, in Firefox: the tests of `tests/embed`.

process.env.EMBED_BROWSER = 'firefox';
await import('../embed/outage.test.mjs');
