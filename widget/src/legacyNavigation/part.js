/**
 * Entry of the part for browsers without the Navigation API: compares the address five times a second. `popstate` does
 * not fire for `history.pushState()`, and the widget does not patch the page's `history`.
 * @param {() => void} run called after each change
 */
export const start = (run) => {
  let lastHref;
  setInterval(() => {
    if (lastHref != location.href) run();
    lastHref = location.href;
  }, 200);
};
