import {changed} from './changes.js';
import {CHANNELS} from './channels.js';
import {OPTED_OUT} from './config.js';
import {emit} from './emit.js';
import {allowed} from './gate.js';
import {nonce, post} from './post.js';
import {isMine} from './siblings.js';
import {keep, recall, tab} from './tab.js';
import {takeToken} from './take.js';
import {pageKey, pageUrl} from './url.js';

const IDLE = 18e5;

let wanted = new Set(CHANNELS);
let arrival;
let page;
let sending;

/** Takes a token out of the address bar; it waits in a variable until the visit may be reported. */
export function takeArrival() {
  arrival = takeToken() || arrival;
}

/** A page was opened: a new visit if it came with somebody else's token or the last visit is over, else a view. */
export async function arrive(referrer) {
  if (!allowed()) return;
  page = pageKey();
  recall();
  const token = OPTED_OUT || tab.own.concat(tab.used).includes(arrival) ? undefined : arrival;
  arrival = undefined;
  if (token || !tab.landing || Date.now() - tab.at > IDLE) {
    begin(token, referrer);
  } else {
    if (!tab.visit) await (sending ||= send());
    view();
  }
}

/** The address may have changed without a page load: another page is a view, a token in it an arrival. */
export function route(event) {
  takeArrival();
  changed();
  if (arrival || page != pageKey() || event.persisted) return arrive(location.origin);
}

/** Asks for tokens of more channels; the server knows the visit by its nonce. */
export async function want(channels) {
  channels.forEach((channel) => wanted.add(channel));
  await sending;
  if (tab.visit && !channels.every((channel) => tab.tokens[channel])) send();
}

function begin(token, referrer) {
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
}

async function send() {
  const {landing} = tab;
  if (landing.token && (await isMine(landing.token))) landing.own = true;
  const answer = await post('visits', {...landing, opted_out: OPTED_OUT || undefined, channels: OPTED_OUT ? [] : [...wanted]});
  sending = null;
  // A name that is no channel must not cost the visit: the buttons that exist still get their tokens.
  if (answer == 422 && wanted.size > CHANNELS.length) {
    wanted = new Set(CHANNELS);
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
}

async function view() {
  if (!tab.session) return;
  keep();
  const answer = await post('views', {session: tab.session, url: pageUrl(), title: document.title, nonce: nonce()});
  // The server no longer knows this visit: erased, or the database is another one.
  if (answer == 422) begin(undefined, location.origin);
}
