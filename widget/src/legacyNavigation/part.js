/** Looks five times a second where the page is: an older browser does not say, and `history` is the page's own. */
export const start = (run) => {
  let before;
  setInterval(() => {
    if (before != location.href) run();
    before = location.href;
  }, 200);
};
