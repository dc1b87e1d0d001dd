/** Logs an error to the console. Some pages remove `console.warn`. */
export const warn = (error) => console.warn?.('grapevine', error);

/** Wraps a function so that an exception or a rejected promise is logged and never becomes an error of the page. */
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
