import {guard} from './guard.js';
import {callPart} from './lazyParts.js';
import {notifyChange} from './onChange.js';

/** Watches for changes of the address without a page load. A part decides what they are, loaded with the first one. */
export const watchRoutes = () => {
  if (window.navigation)
    navigation.addEventListener('currententrychange', (event) => {
      setTimeout(guard(notifyChange));
      callPart('routes', event, document.title);
    });
  // Firefox before 147 and Safari before 26.2 have no Navigation API.
  else callPart('routes');
};
