const ADDRESSES = ['href', 'src', 'poster', 'cite', 'action', 'data'];

/** The selected text as the browser copies it: as written, not as `text-transform` shows it. */
export function plainText(selection) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('*{text-transform:none!important}');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const text = String(selection);
  document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other != sheet);
  return text;
}

/** What a range holds as HTML, as the browser copies it: what is visible, absolute URLs, the inline elements around it. */
export function html(range) {
  const root = range.commonAncestorContainer;
  let around = root.nodeType == 1 ? root : root.parentElement;
  const originals = [...around.querySelectorAll('*')].filter((element) => range.intersectsNode(element));
  let content = range.cloneContents();
  content.querySelectorAll('*').forEach((copy, i) => {
    const {display, userSelect} = getComputedStyle(originals[i]);
    if (display == 'none' || userSelect == 'none') copy.remove();
    absolute(copy);
  });
  for (; getComputedStyle(around).display == 'inline' || /^(H\d|PRE|LI|[UO]L)$/.test(around.tagName); around = around.parentElement) {
    const shell = absolute(around.cloneNode());
    shell.append(content);
    content = shell;
  }
  const box = document.createElement('div');
  box.append(content);
  return box.innerHTML;
}

function absolute(element) {
  for (const name of ADDRESSES)
    if (element.hasAttribute(name) && element[name].trim) element.setAttribute(name, element[name]);
  return element;
}
