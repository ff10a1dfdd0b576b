const worker = new Worker('worker.js', { type: 'module' });
worker.addEventListener('message', ({ data }) => {
  document.querySelector('output').textContent = data;
});
