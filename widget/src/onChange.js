/**
 * Callbacks for changes of what a button would share: the tokens, the page's address, the consent.
 * @type {Set<() => void>}
 */
export const changeListeners = new Set();

/** Calls all change listeners. */
export const notifyChange = () => changeListeners.forEach((run) => run());
