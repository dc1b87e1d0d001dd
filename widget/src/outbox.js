import {config, ENDPOINT} from './config.js';
import {mayCollect} from './consentState.js';
import {emit} from './emit.js';
import {saveTab, tab} from './tabStorage.js';

const underWay = {};

/** 160 random bits, as digits. */
export const createNonce = () => (crypto.getRandomValues(new Uint32Array(5)).join(''));

/**
 * Reports to the server. What the server cannot take now waits in the outbox and is sent again as it is, with the same nonce.
 * @returns {Promise<object>} the server's answer, when there is one
 */
export const post = (path, report) => deliverOnce(JSON.stringify({site: config.site, nonce: createNonce(), ...report}), path);

/** Sends what an earlier page of this tab could not. */
export const resendOutbox = (send = deliverOnce) => Object.entries(tab.outbox).forEach((report) => send(...report));

/** Sends what waits once more as the page is hidden or left: at `pagehide` itself, Firefox loses requests. */
export const flushOutbox = () => resendOutbox((body, path) => navigator.sendBeacon(apiUrl(path), body));

const deliverOnce = (body, path) => (underWay[body] ||= sendWithRetry(body, path));

const sendWithRetry = async (body, path) => {
  let retryDelay = 1e3;
  do {
    retryDelay *= 2;
    try {
      // `text/plain` needs no preflight; `keepalive` lets the report survive the page.
      const response = await fetch(apiUrl(path), {method: 'POST', body, keepalive: true, credentials: 'omit'});
      const answer = await response.json();
      if (response.status != 200) emit('drop', {reason: response.headers.get('Grapevine-Dropped')});
      if (response.status < 429) {
        delete tab.outbox[body];
        delete underWay[body];
        saveTab(tab.at);
        return answer;
      }
      retryDelay = response.headers.get('Retry-After') * 1e3 || retryDelay;
    } catch {}
    // A browser calls reports failed that are under way as the page is left. No timer runs there any more.
    await delay(0);
    if (mayCollect() && !Object.keys(tab.outbox)[19]) tab.outbox[body] = path;
    saveTab(tab.at);
    await delay(retryDelay);
  } while (tab.outbox[body]);
  return {};
};

const delay = (time) => new Promise((done) => setTimeout(done, time));

const apiUrl = (path) => ENDPOINT + 'v1/' + path;
