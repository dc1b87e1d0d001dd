import {config, ENDPOINT} from './config.js';
import {callPart} from './lazyParts.js';
import {mayCollect} from './consentState.js';
import {saveTab, tab} from './tabStorage.js';

/**
 * Requests that have not ended: body → promise. A report that is being sent is not sent twice; one that is removed from
 * here does not wait for another try.
 */
export const underWay = {};

/** Instead of a path: a goal whose session is not known yet. */
export const GOAL = '0';

/** Returns 160 random bits as decimal digits. */
export const createNonce = () => (crypto.getRandomValues(new Uint32Array(5)).join(''));

/**
 * Sends a report to the server. One that is not delivered waits in the outbox and is retried unchanged: the nonce lets
 * the server count it once, even if it had received it already. A goal waits there from the start, since the click that
 * reaches it may leave the page.
 * @param {string} path below `/v1/`, or GOAL
 * @param {object} report
 * @returns {Promise<object>} the server's response, or `code`, its status, if it refused the report; empty if that was given up
 */
export const post = (path, report) => {
  const body = JSON.stringify({site: config.site, nonce: createNonce(), ...report});
  // Goals, answers, conversions.
  if (path < 'd') keep(body, path);
  return deliverOnce(body, path);
};

/** Keeps a report in the outbox, which holds at most twenty. */
const keep = (body, path) => {
  if (!Object.keys(tab.outbox)[19]) tab.outbox[body] = path;
  saveTab(tab.at);
};

/** Sends all reports of the outbox; an earlier page of this tab may have left some. */
export const resendOutbox = (send = deliverOnce) => Object.entries(tab.outbox).forEach((report) => send(...report));

/**
 * Sends the outbox by beacon when the page is hidden or left. Called on `visibilitychange`, because Firefox loses
 * requests that begin at `pagehide`.
 */
export const flushOutbox = () => resendOutbox((body, path) => path == GOAL || navigator.sendBeacon(apiUrl(path), body));

const deliverOnce = (body, path) =>
  path == GOAL ? callPart('goals', body) : (underWay[body] ||= sendWithRetry(body, path));

/** Sends a report until the server responds with a final status. Waits 2 s, 4 s, 8 s, … or what `Retry-After` says. */
const sendWithRetry = async (body, path) => {
  let retryDelay = 1e3;
  do {
    retryDelay *= 2;
    try {
      // A string is sent as `text/plain`, which needs no CORS preflight. `keepalive` lets the request outlive the page.
      const response = await fetch(apiUrl(path), {method: 'POST', credentials: 'omit', keepalive: true, body});
      // A refusal may be a proxy's, which is no JSON.
      const result = response.ok ? await response.json() : {code: response.status};
      if (response.status != 200) callPart('refusals', response);
      // 429 and 5xx mean later; everything else is final, refusals included.
      if (response.status < 429) {
        delete tab.outbox[body];
        delete underWay[body];
        saveTab(tab.at);
        return result;
      }
      // The mask keeps a broken server from being asked without a pause: a timer runs at once for -1 and for a month.
      retryDelay = (response.headers.get('Retry-After') & 2097151) * 1e3 || retryDelay;
    } catch {}
    // A browser fails the requests of a page that is being left. Timers no longer run there, so this one keeps such a
    // report out of the outbox: `keepalive` delivers it.
    await delay();
    if (underWay[body] && mayCollect()) keep(body, path);
    await delay(retryDelay);
    // Gone from the outbox: consent was withdrawn, or the outbox was full.
  } while (tab.outbox[body]);
  return {};
};

const delay = (time) => new Promise((done) => setTimeout(done, time));

const apiUrl = (path) => ENDPOINT + 'v1/' + path;
