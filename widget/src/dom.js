/** Lets the browser do something else first, so that no task of the widget gets long. */
export const rest = () => (new Promise((done) => setTimeout(done)));

/** A new element with these properties. */
export const make = (name, properties) => (Object.assign(document.createElement(name), properties));
