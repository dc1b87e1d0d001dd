/** Wraps an entry point: whatever goes wrong in the widget stays there, and is named in the console. */
export function guard(run) {
  return function (...args) {
    try {
      return run.apply(this, args);
    } catch (error) {
      console.warn('grapevine', error);
    }
  };
}
