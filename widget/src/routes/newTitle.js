import {pageTitle} from '../pageTitle.js';

/** Milliseconds for which a view waits for the title of its page. */
const TIMEOUT = 1000;

/**
 * Resolves to the title of the page that a router is opening. Routers change the address before the title, some of them
 * even before they ask the server for the page. Undefined if no other title came in time: that of the page before would
 * be a wrong one.
 * @param {string} before title of the page before
 * @param {() => boolean} isLeft whether yet another page has been opened
 * @returns {Promise<string | undefined>}
 */
export const newTitle = (before, isLeft) =>
  new Promise((done) => {
    const end = Date.now() + TIMEOUT;
    let last;
    const check = (event) => {
      const title = pageTitle();
      const left = isLeft();
      const isNew = title && withoutCounter(title) != withoutCounter(before) && !left;
      // Twice the same, because an app may set another title first. A page that is being closed cannot wait.
      if ((isNew && title == last) || left || Date.now() > end || event) {
        clearInterval(timer);
        document.removeEventListener('visibilitychange', check);
        // Of a page that was left soon, the title that was seen once.
        done(isNew ? title : left ? last : undefined);
      }
      last = isNew ? title : undefined;
    };
    const timer = setInterval(check, 50);
    document.addEventListener('visibilitychange', check);
    check();
  });

/** The counter in "(3) News" changes on one page. A page may have a form or an image of the name `title`. */
const withoutCounter = (title) => (title + '').replace(/^\W*\d+\W+/, '');
