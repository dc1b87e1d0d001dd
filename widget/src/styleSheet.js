/** Creates a style sheet without a `style` element: a strict Content Security Policy allows constructed sheets. */
export const createStyleSheet = (css) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
};
