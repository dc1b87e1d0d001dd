// What happened, newest first.
import { make } from "./build.js";

const MOST = 50;

export function openLog(list, empty) {
  return (name, detail) => {
    const time = new Date().toTimeString().slice(0, 8);
    const what = make("b", { textContent: name });
    const item = make("li", {}, make("time", { textContent: time }), what, make("code", { textContent: JSON.stringify(detail) }));
    list.prepend(item);
    list.children[MOST]?.remove();
    empty.hidden = true;
  };
}
