// The chosen channels in their order, and all others to choose from.
import { CHANNELS } from "./options.js";
import { make } from "./build.js";

export function channelList(option, change) {
  let chosen = [];
  const list = make("ol", { className: "chosen" });
  const others = make("div", { className: "others" });
  const status = make("p", { className: "unseen", role: "status" });
  const none = make("p", { className: "hint", textContent: "No button at all: tracking and copying alone." });

  const say = (names, words) => {
    status.textContent = words;
    change(names.join(" "));
  };

  const move = (name, steps) => {
    const names = chosen.filter((other) => other !== name);
    names.splice(chosen.indexOf(name) + steps, 0, name);
    say(names, `${CHANNELS.get(name)} is number ${names.indexOf(name) + 1} of ${names.length}`);
    focus(name, steps < 0 ? "up" : "down");
  };

  const remove = (name) => {
    const next = chosen[chosen.indexOf(name) + 1] ?? chosen[chosen.indexOf(name) - 1];
    say(chosen.filter((other) => other !== name), `${CHANNELS.get(name)} is removed`);
    if (next) focus(next, "remove");
    else others.querySelector("button").focus();
  };

  const add = (name) => {
    const next = [...others.children].find((other) => other.dataset.add === name).nextElementSibling?.dataset.add;
    say([...chosen, name], `${CHANNELS.get(name)} is added`);
    (others.querySelector(`[data-add="${next}"]`) ?? list.querySelector("li:last-child [data-act=remove]")).focus();
  };

  // A button that has come to the end of its way is disabled: its twin takes the focus.
  const focus = (name, act) => {
    const row = list.querySelector(`[data-channel="${name}"]`);
    const button = row.querySelector(`[data-act=${act}]`);
    (button.disabled ? row.querySelector("button:enabled") : button).focus();
  };

  const act = (name, does, sign, label, onclick, disabled = false) => {
    const button = make("button", { type: "button", textContent: sign, ariaLabel: `${label}: ${CHANNELS.get(name)}`, title: label, onclick, disabled });
    button.dataset.act = does;
    return button;
  };

  const row = (name, at) => {
    const item = make(
      "li",
      {},
      make("span", { textContent: CHANNELS.get(name) }),
      act(name, "up", "↑", "Earlier", () => move(name, -1), at === 0),
      act(name, "down", "↓", "Later", () => move(name, 1), at === chosen.length - 1),
      act(name, "remove", "×", "Remove", () => remove(name)),
    );
    item.dataset.channel = name;
    return item;
  };

  const pill = (name) => {
    const button = make("button", { type: "button", className: "pill", textContent: CHANNELS.get(name), ariaLabel: `Add: ${CHANNELS.get(name)}`, onclick: () => add(name) });
    button.dataset.add = name;
    return button;
  };

  const show = (value) => {
    chosen = value.split(" ").filter(Boolean);
    list.replaceChildren(...chosen.map(row));
    list.hidden = !chosen.length;
    none.hidden = !list.hidden;
    others.replaceChildren(...[...CHANNELS.keys()].filter((name) => !chosen.includes(name)).map(pill));
  };

  const legend = make("legend", { textContent: option.label });
  return { element: make("fieldset", {}, legend, list, none, make("p", { className: "hint", textContent: "Add another:" }), others, status), show };
}
