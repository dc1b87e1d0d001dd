import {config, ENDPOINT} from '../config.js';
import {guard} from '../guard.js';
import {notifyChange} from '../onChange.js';
import {underWay} from '../outbox.js';
import {clearTab, saveTab, STORAGE_KEY, tab} from '../tabStorage.js';
import {requestTokens} from '../requestTokens.js';

/** Milliseconds to wait for the visit's own report, if that is being sent. */
const REPORT_TIMEOUT = 3e3;
/** Milliseconds that the server has to erase the visit. */
const ERASE_TIMEOUT = 1e4;

/** Promise of the erasure under way: concurrent calls share one. */
let erasure;

/**
 * Erases this tab's visit, on the server and here. The tab then has no visit; its next page begins a new one.
 * @returns {Promise<'erased' | 'nothing' | 'failed'>} `nothing`: the tab has no visit; `failed`: the visit is as before
 */
export const eraseVisit = () =>
  (erasure ||= guard(erase)()
    .catch(() => 'failed')
    .finally(() => (erasure = null)));

const erase = async () => {
  await Promise.race([requestTokens([]), new Promise((done) => setTimeout(done, REPORT_TIMEOUT))]);
  const {landing, ownTokens} = tab;
  const session = tab.session || storedSession();
  if (session && !(await eraseOnServer(session))) return 'failed';
  if (!session && landing) withdrawReport(landing.nonce);
  // The last ones are goals of a page that is not tracked yet.
  dropReports(session, landing?.nonce, '"landing":null', '"landing":false');
  // Another visit may have begun during the request; that one stays.
  if (!tab.session || tab.session == session) dropTab();
  else tab.ownTokens = tab.ownTokens.slice(ownTokens.length);
  notifyChange();
  dropLongMemory(ownTokens);
  return session ? 'erased' : 'nothing';
};

/** Returns the session that an earlier page of this tab stored. Without consent, this page has not read it. */
const storedSession = () => {
  try {
    return JSON.parse(sessionStorage[STORAGE_KEY]).session;
  } catch {}
};

/** Returns whether the server has erased the visit. Not sent through the outbox: the person waits for the answer. */
const eraseOnServer = async (session) => {
  const body = JSON.stringify({site: config.site, session});
  const request = {body, credentials: 'omit', keepalive: true, method: 'POST', signal: AbortSignal.timeout?.(ERASE_TIMEOUT)};
  try {
    return (await fetch(ENDPOINT + 'v1/forget', request)).status == 200;
  } catch {}
};

/** Erases a visit whose report is still being sent, should the server accept that report after all. */
const withdrawReport = (nonce) =>
  reportsOf(underWay, nonce).forEach((body) => underWay[body].then(({session}) => session && eraseOnServer(session)));

/** Drops reports of the visit, so that none of them is sent or stored again. */
const dropReports = (...marks) => {
  for (const reports of [tab.outbox, underWay])
    for (const mark of marks) reportsOf(reports, mark).forEach((body) => delete reports[body]);
};

/** Returns the bodies that contain the visit's session, the nonce of its own report, or another mark. */
const reportsOf = (reports, mark) => Object.keys(reports).filter((body) => mark && body.includes(mark));

/** Drops the tab's state except for reports of earlier visits. */
const dropTab = () => {
  const {outbox} = tab;
  clearTab();
  delete tab.returned;
  delete tab.server;
  if (!Object.keys(outbox)[0]) return;
  tab.outbox = outbox;
  saveTab(0);
};

/** Drops the visit's tokens from those that the browser remembers with `data-storage="local"`. */
const dropLongMemory = (tokens) => {
  try {
    const others = JSON.parse(localStorage[STORAGE_KEY]).filter(([token]) => !tokens.includes(token));
    if (others[0]) localStorage[STORAGE_KEY] = JSON.stringify(others);
    else delete localStorage[STORAGE_KEY];
  } catch {}
};
