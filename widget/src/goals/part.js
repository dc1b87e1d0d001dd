import {OPTED_OUT} from '../config.js';
import {mayCollect} from '../consentState.js';
import {changeListeners} from '../onChange.js';
import {post} from '../outbox.js';
import {saveTab, tab} from '../tabStorage.js';
import {requestTokens} from '../requestTokens.js';

/** Goals that are waited for, so that none is handled twice: body → promise. */
const waiting = {};

/**
 * Entry of the part for goals whose session is not known yet; the outbox keeps them meanwhile, at most twenty.
 * @param {string} body of the outbox: the goal, and as `landing` the report of its visit; false or null before the
 *     page was tracked, true in no visit
 */
export const start = (body) => (tab.outbox[body] ? (waiting[body] ||= sendGoal(body)) : undefined);

const sendGoal = async (body) => {
  const {landing, ...goal} = JSON.parse(body);
  goal.session = await (landing ? sessionOf(landing, body) : nextSession(body));
  delete tab.outbox[body];
  if (goal.session) post('conversions', goal);
  else saveTab(tab.at);
};

/**
 * Returns the session of a goal's visit. If another visit has begun meanwhile, or the page that waited for the answer
 * was left, the visit's report is sent again; the nonce tells the server which visit it is.
 */
const sessionOf = async (landing, body) => {
  if (landing == true || OPTED_OUT) return;
  await requestTokens([]);
  // Gone from the outbox: consent was withdrawn, or the visit was erased.
  const isKept = () => tab.outbox[body];
  if (!isKept() || (tab.landing?.nonce == landing.nonce && tab.session)) return isKept() && tab.session;
  const {session} = await post('visits', {...landing, opted_out: OPTED_OUT, channels: 'copy'});
  return isKept() && session;
};

/** Returns the session of the visit that begins or goes on when the page is tracked; none if consent is refused. */
const nextSession = (body) =>
  new Promise((done) => {
    if (mayCollect()) return requestTokens([]).then(() => done(tab.session));
    // Refused.
    if (mayCollect() == false && !document.prerendering) return done();
    document.addEventListener('grapevine:ready', () => done(tab.session), {once: true});
    changeListeners.add(() => mayCollect() || tab.outbox[body] || done());
  });
