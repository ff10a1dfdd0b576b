/** Starts the page; an import that fails, for want of a build, must not leave it blank. */
import { showAlert } from './alert.js';

try {
  const { start } = await import('./app.js');
  await start();
} catch (error) {
  document.getElementById('stage').dataset.state = 'broken';
  const reason = error?.name === 'HostError' ? error.message : `The page could not start: ${error?.message}`;
  const advice = error instanceof TypeError ? ' “npm run build” makes the module that it imports.' : '';
  showAlert(reason + advice, 'Reload', () => location.reload());
}
