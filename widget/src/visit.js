import {config, OPTED_OUT} from './config.js';
import {mayCollect} from './consentState.js';
import {prepareTextCopy} from './copy.js';
import {emit} from './emit.js';
import {notifyChange} from './onChange.js';
import {isOwnToken} from './otherTabs.js';
import {createNonce, post, resendOutbox} from './outbox.js';
import {loadTab, saveTab, tab} from './tabStorage.js';
import {pageKey, pageUrl, untag} from './url.js';

const IDLE_TIMEOUT = 18e5;

const requestedChannels = new Set([config.buttons && 'native copy ' + config.buttons]);
let arrivalToken;
let referrer = document.referrer;
let currentPage;
let pendingReport;

/** Takes a token out of the address bar; it waits in a variable until the visit may be reported. */
export const takeTokenFromUrl = () => {
  const [url, token] = untag(location.href);
  if (!token || token == tab.tokens.address) return;
  history.replaceState(history.state, '', url);
  arrivalToken = token;
};

/** A page was opened: a new visit if it came with somebody else's token or the last visit is over, else a view. */
export const trackPage = async () => {
  if (!mayCollect()) return;
  currentPage = pageKey();
  loadTab();
  resendOutbox();
  const token = !OPTED_OUT && !(tab.own + tab.used).includes(arrivalToken) ? arrivalToken : undefined;
  const pageReferrer = referrer;
  arrivalToken = '';
  referrer = location.origin;
  if (token || Date.now() - tab.at > IDLE_TIMEOUT) return startVisit(token, pageReferrer);
  const view = {url: pageUrl(), title: document.title};
  if (!tab.visit) await (pendingReport ||= reportVisit());
  if (!tab.session) return;
  saveTab();
  // The server may no longer know this visit: erased, or the database is another one.
  if ((await post('views', {session: tab.session, ...view})).code == 'invalid') return startVisit(undefined, referrer);
};

/** The address may have changed without a page load: another page is a view, a token in it an arrival. */
export const onRouteChange = (event) => {
  takeTokenFromUrl();
  notifyChange();
  if (arrivalToken || currentPage != pageKey() || event?.persisted) return trackPage();
};

/** Asks for tokens of more channels; the server knows the visit by its nonce. */
export const requestTokens = async (channels) => {
  channels.forEach((channel) => requestedChannels.add(channel));
  await pendingReport;
  if (tab.visit && channels.some((channel) => !tab.tokens[channel])) return reportVisit();
};

const startVisit = (token, referrer) => {
  tab.landing = {
    url: pageUrl(),
    nonce: createNonce(),
    day: new Date().toISOString().slice(0, 10),
    referrer,
    token,
    title: document.title,
  };
  if (token) tab.used += token;
  Object.assign(tab, {tokens: {}, visit: null, session: null});
  saveTab();
  return (pendingReport = reportVisit());
};

const reportVisit = async () => {
  const landing = tab.landing;
  landing.own ||= landing.token && (await isOwnToken(landing.token));
  const answer = await post('visits', {...landing, opted_out: OPTED_OUT, channels: [...requestedChannels].join(' ')});
  pendingReport = null;
  await prepareTextCopy();
  if (!answer.visit || tab.landing?.nonce != landing.nonce) return;
  const wasKnown = tab.visit;
  tab.own += Object.values(answer.tokens);
  Object.assign(tab, answer, {tokens: {...answer.tokens, ...tab.tokens}});
  saveTab();
  notifyChange();
  if (!wasKnown) emit('ready', {visit: tab.visit});
  if (!wasKnown && tab.returned) emit('return', tab.returned);
};
