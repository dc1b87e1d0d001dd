// Elements without HTML in strings: make("p", { className: "hint" }, "text", child).
export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}
