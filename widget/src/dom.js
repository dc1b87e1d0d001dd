/** A new element with these properties. */
export const createElement = (name, properties) => (Object.assign(document.createElement(name), properties));
