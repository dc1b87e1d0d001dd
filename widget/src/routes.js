import {callPart} from './lazyParts.js';

/** Calls `run` after the address may have changed without a page load, and when a page comes back from the cache. */
export const watchRoutes = (run) => {
  addEventListener('pageshow', run);
  if (window.navigation)
    // Pages set their title after the address, so wait a moment.
    navigation.addEventListener('currententrychange', () => setTimeout(run, 50));
  else callPart('legacyNavigation', run);
};
