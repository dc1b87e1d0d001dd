import {changed} from './onChange.js';
import {data, OPTED_OUT} from './config.js';
import {emit} from './emit.js';
import {readText} from './copy.js';
import {allowed} from './consentState.js';
import {nonce, post, resume} from './outbox.js';
import {isMine} from './otherTabs.js';
import {keep, recall, tab} from './tabStorage.js';
import {pageKey, pageUrl, untag} from './url.js';

const IDLE = 18e5;

const wanted = new Set([data.buttons && 'native copy ' + data.buttons]);
let arrival;
let referrer = document.referrer;
let page;
let sending;

/** Takes a token out of the address bar; it waits in a variable until the visit may be reported. */
export const takeArrival = () => {
  const [url, token] = untag(location.href);
  if (!token || token == tab.tokens.address) return;
  history.replaceState(history.state, '', url);
  arrival = token;
};

/** A page was opened: a new visit if it came with somebody else's token or the last visit is over, else a view. */
export const arrive = async () => {
  if (!allowed()) return;
  page = pageKey();
  recall();
  resume();
  const token = !OPTED_OUT && !(tab.own + tab.used).includes(arrival) ? arrival : undefined;
  const from = referrer;
  arrival = '';
  referrer = location.origin;
  if (token || Date.now() - tab.at > IDLE) return begin(token, from);
  const view = {url: pageUrl(), title: document.title};
  if (!tab.visit) await (sending ||= send());
  if (!tab.session) return;
  keep();
  // The server may no longer know this visit: erased, or the database is another one.
  if ((await post('views', {session: tab.session, ...view})).code == 'invalid') return begin(undefined, referrer);
};

/** The address may have changed without a page load: another page is a view, a token in it an arrival. */
export const route = (event) => {
  takeArrival();
  changed();
  if (arrival || page != pageKey() || event?.persisted) return arrive();
};

/** Asks for tokens of more channels; the server knows the visit by its nonce. */
export const want = async (channels) => {
  channels.forEach((channel) => wanted.add(channel));
  await sending;
  if (tab.visit && channels.some((channel) => !tab.tokens[channel])) return send();
};

const begin = (token, referrer) => {
  tab.landing = {
    url: pageUrl(),
    nonce: nonce(),
    day: new Date().toISOString().slice(0, 10),
    referrer,
    token,
    title: document.title,
  };
  if (token) tab.used += token;
  Object.assign(tab, {tokens: {}, visit: null, session: null});
  keep();
  return (sending = send());
};

const send = async () => {
  const landing = tab.landing;
  landing.own ||= landing.token && (await isMine(landing.token));
  const answer = await post('visits', {...landing, opted_out: OPTED_OUT, channels: [...wanted].join(' ')});
  sending = null;
  await readText();
  if (!answer.visit || tab.landing?.nonce != landing.nonce) return;
  const known = tab.visit;
  tab.own += Object.values(answer.tokens);
  Object.assign(tab, answer, {tokens: {...answer.tokens, ...tab.tokens}});
  keep();
  changed();
  if (!known) emit('ready', {visit: tab.visit});
  if (!known && tab.returned) emit('return', tab.returned);
};
