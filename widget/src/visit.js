import {loadTab, saveTab, tab} from './tabStorage.js';
import {config, OPTED_OUT} from './config.js';
import {emit} from './emit.js';
import {createNonce, post, resendOutbox} from './outbox.js';
import {pageUrl, untag} from './url.js';
import {VERSION} from 'grapevine:version';
import {mayCollect} from './consentState.js';
import {prepareTextCopy} from './copy.js';
import {callPart} from './lazyParts.js';
import {pageTitle} from './pageTitle.js';
import {notifyChange} from './onChange.js';

/** A visit ends after thirty minutes without activity. */
const IDLE_TIMEOUT = 18e5;

/** Names of the channels that the visit's report requests tokens for. */
export const requestedChannels = new Set([config.buttons && 'native copy ' + config.buttons]);
/** The token that this page was opened with, until its visit is reported. */
let arrivalToken;

/**
 * Removes a token from the address bar and keeps it for the visit's report; without consent that may be much later, so
 * a part keeps it over a reload in the state of the history entry.
 */
export const takeTokenFromUrl = () => {
  const [url, token = history.state?.grapevine] = untag();
  if (!token) return;
  history.replaceState(history.state, '', url);
  if (token[9]) arrivalToken = token;
  else callPart('ignore', (mayCollect.mark = token));
  if (!mayCollect()) callPart('heldToken', () => arrivalToken);
};

/** Returns the token that this page was opened with, if it is another reader's and new to this tab. */
export const newToken = () =>
  OPTED_OUT || (tab.ownTokens + tab.foreignTokens).includes(arrivalToken) ? undefined : arrivalToken;

/**
 * Reports that a page was opened: a visit if it has another reader's token or the last visit has ended, else a view.
 * `trackPage.view` is the last one of this page load; `trackPage.pending` the promise of the visit's report while that is
 * being sent; `trackPage.refused` says that the server takes none of this site.
 * @param {{url: string, title?: string}} [view] the page that is shown
 */
export const trackPage = async (view = {url: pageUrl(), title: pageTitle()}) => {
  if (!mayCollect()) return;
  loadTab(tab.outbox);
  resendOutbox();
  // All of this runs before the first `await`: a route change may call again while a report is being sent.
  const token = newToken();
  const begins = token || !tab.landing || Date.now() - tab.at > IDLE_TIMEOUT;
  if (begins) startVisit(view, token);
  else if (tab.visit && !trackPage.view) emit('ready', {visit: tab.visit});
  arrivalToken = '';
  trackPage.view = view;
  if (!tab.visit) await (trackPage.pending ||= reportVisit());
  if (begins || !tab.session) return;
  saveTab();
  // The server no longer knows this visit: it was erased, or the database is another one. Without a session it was
  // erased from here while the view was sent; then a new visit begins with the next page.
  if ((await post('views', {session: tab.session, ...view, url: view.url.slice(0, 2048)})).code == 422 && tab.session)
    return startVisit(view);
};

const startVisit = (view, token) => {
  tab.landing = {
    token,
    referrer: trackPage.view ? location.origin : document.referrer,
    ...view,
    nonce: createNonce(),
    day: new Date().toISOString().slice(0, 10),
  };
  if (token) tab.foreignTokens += token;
  Object.assign(tab, {tokens: {}, visit: null, session: null});
  saveTab();
  return (trackPage.pending = reportVisit());
};

/** Reports the visit, or reports it once more: its nonce tells the server which visit it is. */
export const reportVisit = async () => {
  const {landing} = tab;
  landing.own ||= landing.token && (await callPart('ownTokens', landing.token));
  const response = await post('visits', {...landing, opted_out: OPTED_OUT, build: VERSION, channels: [...requestedChannels].join(' ')});
  // Before the tokens are stored, so that no copy or share has a token but not the part that it needs.
  await prepareTextCopy();
  await (config.link && callPart('shortLinks'));
  trackPage.pending = null;
  // Another visit has begun meanwhile, or this one was erased.
  if (tab.landing?.nonce != landing.nonce) return;
  // Refused, perhaps for the URL of this page: the next page begins another visit.
  if (!response.visit) {
    if (response.code) tab.landing = null;
    return saveTab(tab.at);
  }
  tab.ownTokens += Object.values(response.tokens);
  const wasKnown = tab.visit;
  // A token that is there already may have been shared; it stays.
  Object.assign(tab, response, {tokens: {...response.tokens, ...tab.tokens}});
  saveTab();
  notifyChange();
  // Goals that waited for this, whose part could not be loaded at the time.
  resendOutbox();
  if (wasKnown) return;
  emit('ready', {visit: tab.visit});
  if (tab.returned) emit('return', tab.returned);
};
