/** Names in the console what went wrong. */
export const warn = (error) => console.warn?.('grapevine', error);

/** Wraps an entry point: whatever goes wrong in the widget stays there, and is named in the console. */
export const guard =
  (run) =>
  (...args) => {
    try {
      const result = run(...args);
      result?.catch?.(warn);
      return result;
    } catch (error) {
      warn(error);
    }
  };
