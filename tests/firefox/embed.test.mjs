// Embedding in Firefox: the tests of `tests/embed` that need nothing of Chromium's.

process.env.EMBED_BROWSER = 'firefox';
await import('../embed/seamless-fetch.test.mjs');
await import('../embed/seamless-xhr.test.mjs');
await import('../embed/seamless-neighbours.test.mjs');
await import('../embed/widgets.test.mjs');
await import('../embed/weather.test.mjs');
await import('../embed/life.test.mjs');
await import('../embed/apps.test.mjs');
