import {VERSION} from 'grapevine:version';
import {config, OPTED_OUT} from './config.js';
import {mayCollect} from './consentState.js';
import {prepareTextCopy} from './copy.js';
import {emit} from './emit.js';
import {callPart} from './lazyParts.js';
import {notifyChange} from './onChange.js';
import {isOwnToken} from './otherTabs.js';
import {createNonce, post, resendOutbox} from './outbox.js';
import {loadTab, saveTab, tab} from './tabStorage.js';
import {pageKey, pageUrl, untag} from './url.js';

/** A visit ends after thirty minutes without activity. */
const IDLE_TIMEOUT = 18e5;

const requestedChannels = new Set([config.buttons && 'native copy ' + config.buttons]);
/** The token that this page was opened with, until its visit is reported. */
let arrivalToken;
let referrer = document.referrer;
/** `pageKey` of the page that was tracked last. */
let currentPage;
/** Promise of the visit's report while it is being sent. */
let pendingReport;

/** Removes a token from the address bar and keeps it for the visit's report; without consent that may be much later. */
export const takeTokenFromUrl = () => {
  const [url, token] = untag(location.href);
  if (!token || token == tab.tokens.address) return;
  history.replaceState(history.state, '', url);
  arrivalToken = token;
};

/**
 * Reports that a page was opened: a visit if it has another reader's token or the last visit has ended, else a view.
 */
export const trackPage = async () => {
  if (!mayCollect()) return;
  currentPage = pageKey();
  loadTab();
  resendOutbox();
  // All of this runs before the first `await`: a route change may call again while a report is being sent.
  const token = !OPTED_OUT && !(tab.ownTokens + tab.foreignTokens).includes(arrivalToken) ? arrivalToken : undefined;
  const pageReferrer = referrer;
  arrivalToken = '';
  referrer = location.origin;
  if (token || Date.now() - tab.at > IDLE_TIMEOUT) return startVisit(token, pageReferrer);
  const view = {url: pageUrl(), title: document.title};
  if (!tab.visit) await (pendingReport ||= reportVisit());
  if (!tab.session) return;
  saveTab();
  // The server no longer knows this visit: it was erased, or the database is another one. Without a session it was
  // erased from here while the view was sent; then a new visit begins with the next page.
  if ((await post('views', {session: tab.session, ...view})).code == 'invalid' && tab.session)
    return startVisit(undefined, referrer);
};

/** Handles a possible route change: another page is a view, a token in the address may be a visit. */
export const onRouteChange = (event) => {
  takeTokenFromUrl();
  notifyChange();
  if (arrivalToken || currentPage != pageKey() || event?.persisted) return trackPage();
};

/** Requests tokens for more channels. The visit's report is repeated; its nonce tells the server which visit it is. */
export const requestTokens = async (channels) => {
  channels.forEach((channel) => requestedChannels.add(channel));
  await pendingReport;
  if (tab.visit && channels.some((channel) => !tab.tokens[channel])) return reportVisit();
};

const startVisit = (token, referrer) => {
  tab.landing = {
    token,
    referrer,
    nonce: createNonce(),
    day: new Date().toISOString().slice(0, 10),
    url: pageUrl(),
    title: document.title,
  };
  if (token) tab.foreignTokens += token;
  Object.assign(tab, {tokens: {}, visit: null, session: null});
  saveTab();
  return (pendingReport = reportVisit());
};

const reportVisit = async () => {
  const landing = tab.landing;
  landing.own ||= landing.token && (await isOwnToken(landing.token));
  const response = await post('visits', {...landing, opted_out: OPTED_OUT, build: VERSION, channels: [...requestedChannels].join(' ')});
  // Before the tokens are stored, so that no copy or share has a token but not the part that it needs.
  await prepareTextCopy();
  await (config.link && callPart('shortLinks'));
  pendingReport = null;
  // The server refused the visit, or another visit has begun meanwhile.
  if (!response.visit || tab.landing?.nonce != landing.nonce) return;
  const wasKnown = tab.visit;
  tab.ownTokens += Object.values(response.tokens);
  // A token that is there already may have been shared; it stays.
  Object.assign(tab, response, {tokens: {...response.tokens, ...tab.tokens}});
  saveTab();
  notifyChange();
  if (!wasKnown) emit('ready', {visit: tab.visit});
  if (!wasKnown && tab.returned) emit('return', tab.returned);
};
