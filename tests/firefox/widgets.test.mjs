// Every widget, and bad weather, in Firefox: the tests of `tests/embed`.

process.env.EMBED_BROWSER = 'firefox';
await import('../embed/widgets.test.mjs');
await import('../embed/weather.test.mjs');
