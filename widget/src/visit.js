import {changed} from './changes.js';
import {CHANNELS, channelsIn} from './channels.js';
import {data, OPTED_OUT} from './config.js';
import {emit} from './emit.js';
import {readText} from './copy.js';
import {allowed} from './gate.js';
import {nonce, post} from './post.js';
import {isMine} from './siblings.js';
import {keep, recall, tab} from './tab.js';
import {takeToken} from './take.js';
import {pageKey, pageUrl} from './url.js';

const IDLE = 18e5;

let wanted = new Set(channelsIn(CHANNELS, data.buttons));
let arrival;
let page;
let sending;

/** Takes a token out of the address bar; it waits in a variable until the visit may be reported. */
export const takeArrival = () => {
  arrival = takeToken() || arrival;
};

/** A page was opened: a new visit if it came with somebody else's token or the last visit is over, else a view. */
export const arrive = async (referrer = document.referrer) => {
  if (!allowed()) return;
  page = pageKey();
  recall();
  const token = OPTED_OUT || [...tab.own, ...tab.used].includes(arrival) ? undefined : arrival;
  arrival = undefined;
  if (token || !tab.landing || Date.now() - tab.at > IDLE) {
    begin(token, referrer);
  } else {
    if (!tab.visit) await (sending ||= send());
    look();
  }
};

/** The address may have changed without a page load: another page is a view, a token in it an arrival. */
export const route = (event) => {
  takeArrival();
  changed();
  if (arrival || page != pageKey() || event.persisted) return arrive(location.origin);
};

/** Asks for tokens of more channels; the server knows the visit by its nonce. */
export const want = async (channels) => {
  channels.forEach((channel) => wanted.add(channel));
  await sending;
  if (tab.visit && channels.some((channel) => !tab.tokens[channel])) send();
};

const begin = (token, referrer) => {
  tab.landing = {
    url: pageUrl(),
    nonce: nonce(),
    day: new Date().toISOString().slice(0, 10),
    referrer,
    title: document.title,
    token,
  };
  if (token) tab.used.push(token);
  Object.assign(tab, {visit: null, session: null, tokens: {}});
  keep();
  sending = send();
};

const send = async () => {
  const {landing} = tab;
  if (landing.token && (await isMine(landing.token))) landing.own = true;
  const answer = await post('visits', {...landing, opted_out: OPTED_OUT || undefined, channels: OPTED_OUT ? [] : [...wanted]});
  sending = null;
  await readText();
  // A name that is no channel must not cost the visit: the buttons that exist still get their tokens.
  if (answer == 422 && wanted.size > 12) {
    wanted = new Set(channelsIn(CHANNELS));
    return send();
  }
  if (!answer?.visit || OPTED_OUT || tab.landing?.nonce != landing.nonce) return;
  const known = tab.visit;
  tab.own.push(...Object.values(answer.tokens));
  Object.assign(tab, answer, {tokens: {...answer.tokens, ...tab.tokens}});
  keep();
  changed();
  if (known) return;
  emit('ready', {visit: tab.visit});
  if (tab.returned) emit('return', tab.returned);
};

const look = async () => {
  if (!tab.session) return;
  keep();
  const view = {session: tab.session, url: pageUrl(), title: document.title, nonce: nonce()};
  // The server may no longer know this visit: erased, or the database is another one.
  if ((await post('views', view)) == 422) begin(undefined, location.origin);
};
