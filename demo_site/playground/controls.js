// The controls of the options, by kind. Each calls change(name, value); show(value) sets it.
import { channelList } from "./channels.js";
import { make } from "./build.js";
import { fits } from "./setup.js";

const TYPING = 400; // milliseconds without a key before what was typed is tried

export function control(option, change) {
  const drawn = DRAWN[option.kind](option, (value) => change(option.name, value));
  drawn.element.classList.add("option");
  drawn.element.dataset.option = option.name;
  return drawn;
}

const hintOf = ({ name, hint }) => (hint ? [make("p", { className: "hint", id: `hint-${name}`, textContent: hint })] : []);

function described(field, { name, hint }) {
  if (hint) field.setAttribute("aria-describedby", `hint-${name}`);
  return field;
}

function labelled(option, field, ...after) {
  field.id = `option-${option.name}`;
  const label = make("label", { htmlFor: field.id, textContent: option.label });
  return make("div", {}, label, described(field, option), ...after, ...hintOf(option));
}

function choice(option, change) {
  const inputs = option.values.map((value) => make("input", { type: "radio", name: option.name, value, onchange: () => change(value) }));
  const labels = inputs.map((input) => make("label", {}, input, make("span", { textContent: input.value })));
  const row = make("div", { className: "segments" }, ...labels);
  const element = described(make("fieldset", {}, make("legend", { textContent: option.label }), row, ...hintOf(option)), option);
  return { element, show: (value) => inputs.forEach((input) => (input.checked = input.value === value)) };
}

function language(option, change) {
  const own = (tag) => new Intl.DisplayNames([tag], { type: "language" }).of(tag);
  const options = option.values.map((tag) => make("option", { value: tag, textContent: tag === "auto" ? "auto" : `${own(tag)} (${tag})` }));
  const select = make("select", { onchange: () => change(select.value) }, ...options);
  return { element: labelled(option, select), show: (value) => (select.value = value) };
}

function text(option, change) {
  let waiting;
  const field = make("input", { type: "text", autocomplete: "off", spellcheck: false, autocapitalize: "off" });
  const send = () => {
    clearTimeout(waiting);
    const fit = fits(option, field.value);
    field.setAttribute("aria-invalid", String(!fit));
    if (fit) change(field.value);
  };
  field.oninput = () => {
    clearTimeout(waiting);
    waiting = setTimeout(send, TYPING);
  };
  field.onchange = send;
  const show = (value) => {
    if (field.value === value) return;
    field.value = value;
    field.setAttribute("aria-invalid", "false");
  };
  return { element: labelled(option, field), show };
}

function size(option, change) {
  const value = make("output", { className: "value" });
  const field = make("input", { type: "range", min: option.least, max: option.most, oninput: () => change(field.value) });
  const show = (said) => {
    field.value = said;
    value.textContent = `${said}px`;
    field.setAttribute("aria-valuetext", `${said} pixels`);
  };
  return { element: labelled(option, field, value), show };
}

// A colour field always has a colour, so a check box next to it says whether the colour is used.
function colour(option, change) {
  const field = make("input", { type: "color", value: option.suggestion, ariaLabel: `${option.label}: which` });
  const box = make("input", { type: "checkbox", onchange: () => change(box.checked ? field.value : "") });
  field.oninput = () => change(field.value);
  const show = (value) => {
    box.checked = value !== "";
    if (value) field.value = value;
  };
  return { element: make("div", { className: "colour" }, make("label", {}, box, option.label), field), show };
}

const DRAWN = { choice, language, text, size, colour, channels: channelList };
