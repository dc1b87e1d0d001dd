// Embeds the widget with the playground's options and reports its events there. Without the playground: the plain snippet.
const { widget, key } = document.currentScript.dataset;
const PLAIN = { attributes: { "data-site": key }, elements: [], css: "", scheme: "system" };
const { attributes, elements, css, scheme } = { ...PLAIN, ...JSON.parse(window.frameElement?.dataset.setup ?? "{}") };
const sheet = new CSSStyleSheet();
sheet.replaceSync(css);
document.adoptedStyleSheets = [sheet];
if (scheme !== "system") pretend();

if (window.parent !== window) {
  for (const event of ["ready", "share", "return", "drop"]) {
    document.addEventListener(`grapevine:${event}`, ({ detail }) => window.parent.postMessage({ event, detail }, location.origin));
  }
  addEventListener("message", ({ source, data }) => {
    if (source === window.parent && typeof data.css === "string") sheet.replaceSync(data.css);
  });
}

// A page cannot set its reader's colour preference, so this emulates it for the site's style sheet and the widget's bar.
function pretend() {
  for (const { media } of document.styleSheets[0].cssRules) {
    if (media?.mediaText.includes("prefers-color-scheme")) media.mediaText = scheme === "dark" ? "all" : "not all";
  }
  const preferred = new CSSStyleSheet();
  preferred.replaceSync(`:root, ${attributes["data-element"] ?? "grapevine"}-buttons[position] { color-scheme: ${scheme} }`);
  document.adoptedStyleSheets.push(preferred);
}

const script = document.createElement("script");
script.async = true;
script.src = widget;
for (const [name, value] of Object.entries(attributes)) script.setAttribute(name, value);
document.head.append(script);

addEventListener("DOMContentLoaded", () => {
  document.querySelector("#elements").append(...elements.map((name) => document.createElement(name)));
  for (const own of document.querySelectorAll("[data-own]")) own.textContent = location.origin + own.dataset.own;
  document.querySelector("#letter").addEventListener("submit", (event) => {
    event.preventDefault();
    document.querySelector("#sent").textContent = "Thank you. This form sends nothing; the survey’s answer went its own way.";
  });
});
