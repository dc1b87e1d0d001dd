/** The buttons that copy a piece of code: they work without the clipboard's permission, and over http. */

const COPIED_MS = 2_000;

/** Selects the text of an element, so that it can be copied by hand. */
const select = (element) => getSelection().selectAllChildren(element);

/**
 * Copies the text of an element. Browsers have `navigator.clipboard` over https and on the own machine alone; the older
 * command needs no permission, and copies what is selected.
 */
const copy = async (element) => {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    select(element);
    return document.execCommand('copy');
  }
};

// Without this script the buttons do nothing, so the style sheet shows them with this class alone.
document.documentElement.classList.add('scripted');

document.addEventListener('click', async ({target}) => {
  const button = target.closest?.('[data-copies]');
  if (!button) return;
  const code = document.getElementById(button.dataset.copies).querySelector('code');
  const copied = await copy(code);
  if (!copied) select(code);
  button.textContent = copied ? 'Copied' : 'Selected: press Ctrl+C or ⌘C';
  setTimeout(() => (button.textContent = 'Copy'), COPIED_MS);
});
