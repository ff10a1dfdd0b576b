// The outages of `tests/embed` in Firefox; a file of its own, so that they wait while others run.

process.env.EMBED_BROWSER = 'firefox';
await import('../embed/outage.test.mjs');
