import {callPart} from './lazyParts.js';

/** Calls `run` after each route change of a single-page app, and when the page returns from the back/forward cache. */
export const watchRoutes = (run) => {
  addEventListener('pageshow', run);
  if (window.navigation)
    // Single-page apps change the address first and the title a moment later; the report needs both.
    navigation.addEventListener('currententrychange', () => setTimeout(run, 50));
  // Firefox before 147 and Safari before 26.2 have no Navigation API.
  else callPart('legacyNavigation', run);
};
