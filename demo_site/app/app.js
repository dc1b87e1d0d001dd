// A single-page app in small: /app/ and /app/<season> are views of one document, moved between with history.pushState.
const view = document.getElementById("view");
const heading = document.getElementById("view-title");
const year = { title: heading.textContent, content: [...view.childNodes] };
const suffix = document.title.slice(year.title.length);

function lookUp(path) {
  const name = path.replace(/^\/app\/?/, "").replace(/\/$/, "");
  if (!name) return year;
  const templates = [...document.querySelectorAll("template[data-view]")];
  const found = templates.find((template) => template.dataset.view === name) ?? templates.at(-1);
  return { title: found.dataset.title, content: [found.content.cloneNode(true)] };
}

function render() {
  const { title, content } = lookUp(location.pathname);
  view.replaceChildren(...content);
  heading.textContent = title;
  document.title = title + suffix;
  for (const link of document.querySelectorAll("[data-app-nav] a")) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

const inApp = (link) => link.origin === location.origin && /^\/app(\/|$)/.test(link.pathname);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("main a[href]");
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (event.defaultPrevented || !plain || !link || link.hash || !inApp(link)) return;
  event.preventDefault();
  if (link.href !== location.href) history.pushState(null, "", link.href);
  render();
  scrollTo(0, 0);
  heading.focus({ preventScroll: true });
});

addEventListener("popstate", render);
if (lookUp(location.pathname) !== year) render();
