/**
 * CSS of a bar (`div`), its buttons (`a`, `button`) and its notice (`p`). A bar in the page inherits the page's colour;
 * a sticky bar (`[position]`) uses system colours, so that it follows the colour scheme and forced colours. A sticky
 * bar lies at the bottom; on wide screens `left` and `right` (`[position$=t]`) are vertical. Declarations stand in the
 * order that compresses best.
 */
export const BUTTONS_CSS =
  // The delay is for `transitionend`: where nothing may move, too, it tells that the page's colours have changed.
  ':host{position:relative;line-height:0;vertical-align:middle;display:block;transition-delay:1ms}' +
  // The page's direction and alignment place the bar; the direction of the words, set on the bar, orders the buttons.
  // The first icon, not the field around it, begins where the text does.
  'div{display:inline-block;text-wrap:balance;margin:0 calc(10px - var(--grapevine-size,44px)/2);' +
  'max-width:100%;border-radius:var(--grapevine-radius,14px)}' +
  'i{display:inline-flex;border-radius:inherit;flex-wrap:wrap}' +
  'a,button{all:unset;flex:none;opacity:.75;border-radius:inherit;' +
  'color:var(--grapevine-color,inherit);place-content:center;width:var(--grapevine-size,44px);' +
  'display:inline-grid;cursor:pointer;height:var(--grapevine-size,44px);' +
  '&:hover{background:var(--brand,var(--grapevine-accent,#4f46e5));opacity:1;color:#fff}' +
  '&:focus-visible{outline-offset:-2px;opacity:1;outline:2px solid}}' +
  // Copies from the page must not contain the widget.
  ':host([position]),div,p{user-select:none;-webkit-user-select:none}' +
  'svg{width:20px;fill:currentColor}' +
  'p{inset:auto auto calc(100% + 8px);padding:8px 12px;font:500 13px system-ui;color:Canvas;background:CanvasText;' +
  'width:max-content;box-sizing:border-box;border-radius:8px;max-width:90vw;position:absolute;margin:0;forced-color-adjust:none}' +
  // An empty notice stays in the tree: screen readers do not announce text that appears together with its live region.
  'p:empty{padding:0}' +
  // The page's background colour is inherited to be known, not to be seen (pageScheme.js).
  ':host([position]){inset:auto 8px calc(12px + env(safe-area-inset-bottom));position:fixed!important;margin:auto;' +
  'background-color:inherit;z-index:99999;-webkit-background-clip:text;width:fit-content}' +
  ':host([position]) div{display:flex;box-shadow:0 8px 24px #0003;outline:1px solid #8886;box-sizing:border-box;overflow:auto;' +
  'max-width:95vw;color:CanvasText;margin:0;background:var(--grapevine-background,Canvas);padding:2px}' +
  ':host([position]) p{translate:-50%;left:50%}' +
  ':host([away]:not(:focus-within)){translate:0 200%}' +
  '@media(min-width:1000px){' +
  ':host([position$=t]){inset:0 auto 0 12px;translate:0!important;height:fit-content}' +
  ':host([position=right]){inset:0 12px 0 auto}' +
  ':host([position$=t]) div{max-height:96vh;flex-direction:column}' +
  ':host([position$=t]) p{inset:6px auto auto calc(100% + 8px);translate:none}' +
  ':host([position=right]) p{inset:6px calc(100% + 8px) auto auto}' +
  '}' +
  '@media(prefers-reduced-motion:no-preference){:host,a,button{transition:.2s}}' +
  '@media print{:host{display:none}}';
