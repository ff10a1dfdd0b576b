export default { build: { rollupOptions: { input: ['index.html', 'widgets.html'] } } };
