/** Creates an element and sets these properties. */
export const createElement = (name, properties) => (Object.assign(document.createElement(name), properties));
