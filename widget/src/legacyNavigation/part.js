/** Looks five times a second where the page is: an older browser does not say, and `history` is the page's own. */
export const start = (run) => {
  let lastHref;
  setInterval(() => {
    if (lastHref != location.href) run();
    lastHref = location.href;
  }, 200);
};
