/**
 * The look of the buttons: a bar (`div`), its buttons (`a`, `button`), a notice (`p`). Colours are the system's, so that
 * they follow the scheme and forced colours by themselves. A sticky bar (`[position]`) lies at the bottom; on wide
 * screens `left` and `right` stand it up.
 */
export const STYLE =
  ':host{display:block;position:relative;color-scheme:light dark;font:500 13px system-ui}' +
  ':host([theme=light]){color-scheme:light}' +
  ':host([theme=dark]){color-scheme:dark}' +
  'div{display:flex;flex-wrap:wrap;gap:2px}' +
  'a,button{all:unset;display:grid;flex:none;place-content:center;cursor:pointer;' +
  'width:var(--grapevine-size,44px);height:var(--grapevine-size,44px);border-radius:var(--grapevine-radius,12px);' +
  'color:var(--grapevine-color,color-mix(in srgb,CanvasText 70%,Canvas));transition:.15s}' +
  ':is(a,button):hover{color:#fff;background:var(--brand,var(--grapevine-accent,#4f46e5))}' +
  'a:active,button:active{scale:.94}' +
  ':focus-visible{outline:2px solid var(--grapevine-accent,Highlight);outline-offset:-2px}' +
  'svg{width:20px;fill:currentColor}' +
  'p{position:absolute;inset:auto 0 calc(100% + 8px);margin:auto;width:fit-content;padding:8px 12px;' +
  'border-radius:8px;background:CanvasText;color:Canvas;white-space:nowrap}' +
  'p:empty{display:none}' +
  ':host([position]){position:fixed!important;z-index:2147483000;inset:auto 8px calc(12px + env(safe-area-inset-bottom));' +
  'margin:auto;width:fit-content;transition:translate .25s}' +
  ':host([position]) div{flex-wrap:nowrap;overflow:auto;scrollbar-width:none;padding:4px;' +
  'border-radius:calc(var(--grapevine-radius,12px) + 4px);background:var(--grapevine-background,Canvas);' +
  'box-shadow:0 0 0 1px color-mix(in srgb,CanvasText 12%,transparent),0 8px 24px #0003}' +
  ':host([away]:not(:focus-within)){translate:0 200%}' +
  '@media(min-width:1000px){' +
  ':host([position=left]),:host([position=right]){inset:0 auto 0 12px;height:fit-content;translate:0}' +
  ':host([position=right]){inset:0 12px 0 auto}' +
  ':host([position=left]) div,:host([position=right]) div{flex-direction:column;max-height:96vh}' +
  ':host([position=left]) p{inset:0 auto auto calc(100% + 8px)}' +
  ':host([position=right]) p{inset:0 calc(100% + 8px) auto auto}' +
  '}' +
  '@media(prefers-reduced-motion){*,:host{transition:none!important}}' +
  '@media print{:host{display:none}}';
