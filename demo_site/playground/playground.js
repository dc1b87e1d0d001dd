// Wires the parts: a control changes the setup; the setup is the page's fragment, the preview, and the text to paste.
import { wireCalls } from "./calls.js";
import { control } from "./controls.js";
import { make } from "./build.js";
import { wireCopyButtons } from "./copy.js";
import { openLog } from "./log.js";
import { CHANNELS, GROUPS, OPTIONS, VIEWS } from "./options.js";
import { read, usual, write } from "./setup.js";
import { attributes, elements, snippet, styles } from "./snippet.js";
import { openStage } from "./stage.js";

const find = (id) => document.getElementById(id);
const { widget, key } = document.querySelector("main").dataset;
const note = openLog(find("log"), find("quiet"));
const stage = openStage(find("preview"), find("address"), (event, detail) => note(`grapevine:${event}`, detail));
const controls = new Map();
const USE = Object.fromEntries(OPTIONS.map(({ name, use }) => [name, use]));
let setup = usual();

function drawControls() {
  const draw = (option) => {
    const drawn = control(option, change);
    controls.set(option.name, drawn);
    return drawn.element;
  };
  find("views").append(...VIEWS.map(draw));
  for (const [at, { name, options }] of GROUPS.entries()) {
    const heading = make("h2", { id: `group-${at}`, textContent: name });
    const section = make("section", {}, heading, ...options.map(draw));
    section.setAttribute("aria-labelledby", heading.id);
    find("controls").append(section);
  }
  controls.get("consent").element.append(find("consent-calls"));
  find("channel").append(...[...CHANNELS].map(([value, textContent]) => make("option", { value, textContent })));
  find("channel").value = "copy";
}

function change(name, value) {
  if (setup[name] === value) return;
  setup = { ...setup, [name]: value };
  history.replaceState(null, "", `#${write(setup)}`);
  show(USE[name]);
}

// Shows all; looks and the width need no new page.
function show(use) {
  for (const [name, { show: tell }] of controls) tell(setup[name]);
  find("consent-calls").hidden = setup.consent !== "required";
  const css = styles(setup);
  find("snippet").textContent = snippet(setup, key, widget);
  find("styles").textContent = css;
  find("styles-box").hidden = !css;
  stage.widen(setup.width);
  if (use === "property") stage.restyle(css);
  else if (use !== "width") stage.show({ attributes: attributes(setup, key), elements: elements(setup), css, scheme: setup.scheme });
}

function start() {
  setup = read(location.hash.slice(1));
  show();
}

drawControls();
wireCopyButtons();
wireCalls(stage, find("channel"), note);
find("reset").addEventListener("click", () => {
  history.replaceState(null, "", location.pathname);
  start();
});
// A fragment without "=" is an anchor of this page.
addEventListener("hashchange", () => /=|^$/.test(location.hash.slice(1)) && start());
start();
