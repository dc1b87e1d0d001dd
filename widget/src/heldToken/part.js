import {OPTED_OUT} from '../config.js';
import {mayCollect} from '../consentState.js';
import {guard} from '../guard.js';

/** Milliseconds that the answer to the reload may take. */
const STAYS = 3e4;

let watched;

/**
 * Entry of the part that keeps a token over a reload, loaded while the token waits for consent. Many consent managers
 * reload the page when consent is given.
 *
 * The token goes into the state of the page's own history entry, whose address it was taken out of, and only while the
 * page is left (docs/decisions/0051).
 * @param {() => ?string} getToken returns the token that waits; none once it was used
 */
export const start = (getToken) => {
  // A route change calls again, also the change of the state that is made here while the page is left.
  if (watched) return;
  watched = true;
  setHeldToken();
  if (OPTED_OUT) return;
  // Safari on iOS has no `beforeunload`; elsewhere `pagehide` is too late.
  const hold = guard(() => {
    setHeldToken((mayCollect() == null && getToken()) || undefined);
    // The page stays after all: the link was a download.
    setTimeout(guard(() => setHeldToken()), STAYS);
  });
  for (const event of ['beforeunload', 'pagehide']) addEventListener(event, hold);
  // From the back/forward cache: the token is still in memory.
  addEventListener('pageshow', guard(() => setHeldToken()));
};

/** Adds the token to the state of the history entry, or takes it out; a state that is no plain object stays as it is. */
const setHeldToken = (token) => {
  const {state} = history;
  if (state && Object.getPrototypeOf(state) != Object.prototype) return;
  const {grapevine, ...others} = state || {};
  if (token) others.grapevine = token;
  if (grapevine != token) history.replaceState(Object.keys(others)[0] ? others : null, '');
};
