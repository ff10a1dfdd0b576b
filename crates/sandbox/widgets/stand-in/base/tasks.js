import { PlatformError } from './platform.js';

/**
 * Runs the widget's requests by name: a newer one of a name replaces the older, and what failed can be
 * tried again. `run` resolves to whether the work was done. `onChange` is told the widget's state: `busy` and the worst failure.
 */
export function createTasks(onChange) {
  const running = new Map();
  const failed = new Map();
  let paused = false;

  const tell = () => {
    const failures = [...failed.values()].map(({ error }) => error);
    const worst = failures.find(({ kind }) => kind === 'expired') ?? failures[0] ?? null;
    onChange({ busy: running.size > 0, failure: worst });
  };

  const run = async (name, work) => {
    running.get(name)?.abort();
    const controller = new AbortController();
    running.set(name, controller);
    tell();
    try {
      await work(controller.signal);
      if (!controller.signal.aborted) failed.delete(name);
      return !controller.signal.aborted;
    } catch (error) {
      if (controller.signal.aborted) {
        if (paused) failed.set(name, { work, error: new PlatformError('unreachable', 'Interrupted.') });
      } else {
        failed.set(name, { work, error: error instanceof PlatformError ? error : unexpected(error) });
      }
      return false;
    } finally {
      if (running.get(name) === controller) running.delete(name);
      tell();
    }
  };

  return {
    run,
    cancel: (name) => running.get(name)?.abort(),
    retry() {
      for (const [name, { work }] of [...failed]) run(name, work);
    },
    pause() {
      paused = true;
      for (const controller of running.values()) controller.abort();
    },
    resume() {
      paused = false;
      this.retry();
    },
  };
}

/** An answer of a shape that no widget expects ends here. */
function unexpected(error) {
  console.error(error);
  return new PlatformError('refused', 'The platform answered what cannot be shown.');
}
