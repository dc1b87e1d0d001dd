// Renders a setup as the HTML and the style sheet that a site owner pastes.
import { differing } from "./setup.js";

const MARKS = { "&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;" };
const escaped = (text) => text.replace(/[&"<>]/g, (mark) => MARKS[mark]);

export function attributes(setup, key) {
  const said = differing(setup).filter(({ use }) => use === "attribute");
  return { "data-site": key, ...Object.fromEntries(said.map(({ name }) => [`data-${name}`, setup[name]])) };
}

// The elements without which such a setup would show nothing: there is no bar that could.
export function elements(setup) {
  if (setup.position !== "inline") return [];
  const names = [setup.buttons && "buttons", setup.follow && "follow"];
  return names.filter(Boolean).map((name) => `${setup.element}-${name}`);
}

export function snippet(setup, key, widget) {
  const data = Object.entries(attributes(setup, key)).map(([name, value]) => `\n  ${name}="${escaped(value)}"`);
  const tags = elements(setup).map((name) => `\n\n<${name}></${name}>`);
  return `<script async\n  src="${escaped(widget)}"${data.join("")}></script>${tags.join("")}`;
}

export function styles(setup) {
  const said = differing(setup).filter(({ use }) => use === "property");
  const lines = said.map(({ name, kind }) => `  --grapevine-${name}: ${setup[name]}${kind === "size" ? "px" : ""};\n`);
  return lines.length ? `${setup.element}-buttons {\n${lines.join("")}}` : "";
}
