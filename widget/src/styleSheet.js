/** A style sheet that needs no `style` element, so that a strict content security policy lets it through. */
export const createStyleSheet = (css) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
};
