/** Lets the browser do something else first, so that no task of the widget gets long. */
export const nextTask = () => (new Promise((done) => setTimeout(done)));
