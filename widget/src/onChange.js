/** What is called whenever the thing that a button would share has changed. @type {Set<() => void>} */
export const changeListeners = new Set();

/** Says that tokens or the page's address have changed. */
export const notifyChange = () => changeListeners.forEach((run) => run());
