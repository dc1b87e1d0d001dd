import {data, ENDPOINT} from './config.js';
import {emit} from './emit.js';
import {allowed} from './consentState.js';
import {keep, tab} from './tabStorage.js';

const tries = {};

/** 160 random bits, as digits. */
export const nonce = () => (crypto.getRandomValues(new Uint32Array(5)).join(''));

/**
 * Reports to the server. What the server cannot take now waits in the outbox and is sent again as it is, with the same nonce.
 * @returns {Promise<object>} the server's answer, when there is one
 */
export const post = (path, report) => deliver(JSON.stringify({site: data.site, nonce: nonce(), ...report}), path);

/** Sends what an earlier page of this tab could not. */
export const resume = (send = deliver) => Object.entries(tab.outbox).forEach((report) => send(...report));

/** Sends what waits once more as the page is hidden or left: at `pagehide` itself, Firefox loses requests. */
export const leave = () => resume((body, path) => navigator.sendBeacon(urlOf(path), body));

const deliver = (body, path) => (tries[body] ||= attempt(body, path));

const attempt = async (body, path) => {
  let wait = 1e3;
  do {
    wait *= 2;
    try {
      // `text/plain` needs no preflight; `keepalive` lets the report survive the page.
      const response = await fetch(urlOf(path), {method: 'POST', body, keepalive: true, credentials: 'omit'});
      const answer = await response.json();
      if (response.status != 200) emit('drop', {reason: response.headers.get('Grapevine-Dropped')});
      if (response.status < 429) {
        delete tab.outbox[body];
        delete tries[body];
        keep(tab.at);
        return answer;
      }
      wait = response.headers.get('Retry-After') * 1e3 || wait;
    } catch {}
    // A browser calls reports failed that are under way as the page is left. No timer runs there any more.
    await pause(0);
    if (allowed() && !Object.keys(tab.outbox)[19]) tab.outbox[body] = path;
    keep(tab.at);
    await pause(wait);
  } while (tab.outbox[body]);
  return {};
};

const pause = (time) => new Promise((done) => setTimeout(done, time));

const urlOf = (path) => ENDPOINT + 'v1/' + path;
