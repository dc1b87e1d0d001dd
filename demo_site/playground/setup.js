// A setup is the value of every option by its name. As text (the page's own fragment) it holds what is not usual.
import { CHANNELS, OPTIONS } from "./options.js";

const CHECKS = {
  choice: ({ values }, value) => values.includes(value),
  language: ({ values }, value) => values.includes(value),
  text: ({ pattern }, value) => pattern.test(value),
  size: ({ least, most }, value) => /^\d+$/.test(value) && least <= value && value <= most,
  colour: (_, value) => /^#[0-9a-f]{6}$/.test(value),
  channels: (_, value) => {
    const names = value.split(" ").filter(Boolean);
    return names.every((name) => CHANNELS.has(name)) && new Set(names).size === names.length;
  },
};

export const fits = (option, value) => CHECKS[option.kind](option, value);

export const usual = () => Object.fromEntries(OPTIONS.map(({ name, initial }) => [name, String(initial)]));

export const differing = (setup) => OPTIONS.filter(({ name, initial }) => setup[name] !== String(initial));

export function write(setup) {
  return new URLSearchParams(differing(setup).map(({ name }) => [name, setup[name]])).toString();
}

export function read(text) {
  const said = new URLSearchParams(text);
  const setup = usual();
  for (const option of OPTIONS) {
    const value = said.get(option.name);
    if (value !== null && fits(option, value)) setup[option.name] = value;
  }
  return setup;
}
