/** Yields to the browser: resolves in the next task, so that drawing is no long task of the main thread. */
export const nextTask = () => (new Promise((done) => setTimeout(done)));
