// One wine per hash route: #/wines/riesling. Without this script the page shows all six.
// It runs in the head and hides by a style rule, so the first paint is the right one and nothing shifts.
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets.push(sheet);
const title = document.title;

const route = () => decodeURIComponent(location.hash.slice(1)) || "/";

function hideOthers() {
  const shown = `[data-route="${CSS.escape(route())}"]`;
  sheet.replaceSync(route() === "/" ? "" : `[data-route]:not(${shown}) { display: none !important }`);
}

function describe() {
  const wine = [...document.querySelectorAll("[data-route]")].find((section) => section.dataset.route === route());
  document.querySelector(".missing").hidden = route() === "/" || wine !== undefined;
  document.title = wine ? `${wine.dataset.name} · ${title}` : title;
  for (const link of document.querySelectorAll(".pick a")) {
    if ((link.hash.slice(1) || "/") === route()) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

hideOthers();
document.addEventListener("DOMContentLoaded", describe);
addEventListener("hashchange", () => {
  hideOthers();
  describe();
});
