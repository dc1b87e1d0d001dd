function warn(error) {
  console.warn('grapevine', error);
}

/** Wraps an entry point: whatever goes wrong in the widget stays there, and is named in the console. */
export function guard(run) {
  return (...args) => {
    try {
      const result = run(...args);
      result?.catch?.(warn);
      return result;
    } catch (error) {
      warn(error);
    }
  };
}
