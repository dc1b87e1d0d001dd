/** Calls `run` after the address may have changed without a page load, and when a page comes back from the cache. */
export function watchRoutes(run) {
  // Pages set their title after the address, so wait a moment.
  const later = (event) => setTimeout(run, 50, event);
  addEventListener('pageshow', (event) => event.persisted && run(event));
  if (window.navigation) return navigation.addEventListener('currententrychange', later);
  for (const name of ['pushState', 'replaceState']) {
    const real = history[name];
    history[name] = function (...args) {
      real.apply(this, args);
      later(args);
    };
  }
  addEventListener('popstate', later);
}
