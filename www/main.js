/** Starts the page; an import that fails, for want of a build, must not leave it blank. */
import { showAlert } from './alert.js';
import { byId } from './dom.js';

try {
  const { start } = await import('./app.js');
  await start();
} catch (error) {
  byId('stage').dataset.state = 'broken';
  byId('identity-label').textContent = 'Not running';
  showAlert(advice(error), 'Reload', () => location.reload());
}

function advice(error) {
  if (error?.name === 'HostError') return error.message;
  if (error instanceof TypeError) {
    return `A script of this page could not be loaded. “npm run build” makes the module that it imports. (${error.message})`;
  }
  return `The page could not start: ${error?.message ?? error}`;
}
