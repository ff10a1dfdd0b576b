// What `seamless` does to requests, in Firefox: the tests of `tests/embed`.

process.env.EMBED_BROWSER = 'firefox';
await import('../embed/seamless-fetch.test.mjs');
await import('../embed/seamless-xhr.test.mjs');
await import('../embed/seamless-neighbours.test.mjs');
