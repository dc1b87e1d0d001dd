import {reportShare} from '../share.js';

/** Milliseconds for which a panel waits for the report of its share. */
const REPORT_TIMEOUT = 1500;

/**
 * Reports a share before its link is seen, so that the link leads to the page when somebody follows it. Waits until the
 * server has the report, but not long: it is sent again later, and the reader asked for the panel now.
 */
export const reportBriefly = (...share) => Promise.race([reportShare(...share), new Promise((done) => setTimeout(done, REPORT_TIMEOUT))]);
