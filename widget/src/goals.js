import {mayCollect} from './consentState.js';
import {GOAL, post} from './outbox.js';
import {tab} from './tabStorage.js';

/**
 * `grapevine.convert()`: reports a goal of the visit. While the session is not known, the outbox keeps it with the
 * visit's report, and a part sends it. Numbers are rounded to six places, so that 0.1 + 0.2 is sent as 0.300000.
 */
export const convert = (goal, {value, ...more} = {}) => {
  const {session} = tab;
  post(session ? 'conversions' : GOAL, {
    session,
    // True: the page is tracked and has no visit; false or null: it is not tracked yet.
    landing: session ? undefined : tab.landing || mayCollect(),
    goal,
    ...more,
    value: value?.toFixed?.(6) ?? value,
  });
};
