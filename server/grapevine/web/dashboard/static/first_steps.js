/**
 * Keeps the first steps of a site up to date: asks the server for them again and again, and shows what has changed.
 *
 * One request at a time; none while the page is hidden, or without a key or a movement of the pointer for long; seldom while the server
 * is away. What the page waits for is shown within two seconds: the server states how often to ask.
 */

const SLOWEST_MS = 15_000;
const LONGEST_ANSWER_MS = 10_000;

const part = document.getElementById('first-steps');
const status = document.getElementById('watching');
const every = Number(part.dataset.every);
const pause = Number(part.dataset.pause) * 60_000;

let shown = part.innerHTML.trim();
let touched = Date.now();
let failures = 0;
let timer = 0;
let asking = false;

const say = (text) => {
  if (status.textContent !== text) status.textContent = text;
};

/** Puts an answer in place of what is shown, unless it is the same: what stays keeps its focus, and is read once. */
const show = (html) => {
  const {body} = new DOMParser().parseFromString(html, 'text/html');
  const next = body.innerHTML.trim();
  if (next === shown) return;
  shown = next;
  part.replaceChildren(...body.childNodes);
};

/** Asks once. Returns whether to go on. */
const ask = async () => {
  const response = await fetch(part.dataset.part, {redirect: 'manual', signal: AbortSignal.timeout(LONGEST_ANSWER_MS)});
  if (response.type === 'opaqueredirect') {
    say('You are signed out here, so this page stands still.');
    return false;
  }
  if (!response.ok) throw new Error(response.status);
  show(await response.text());
  failures = 0;
  const done = part.querySelector('[data-done]');
  say(done ? '' : 'This page watches, and shows what comes.');
  return !done;
};

const watch = async () => {
  clearTimeout(timer);
  if (asking || document.hidden) return;
  if (Date.now() - touched > pause) {
    say(`Paused after ${part.dataset.pause} quiet minutes. Move the pointer or press a key to go on.`);
    return;
  }
  asking = true;
  let more = true;
  try {
    more = await ask();
  } catch {
    failures += 1;
    say('The server does not answer. This page keeps trying.');
  }
  asking = false;
  if (more) timer = setTimeout(watch, Math.min(every * 2 ** failures, SLOWEST_MS));
  else for (const name of TOUCHES) document.removeEventListener(name, touch);
};

/** Somebody is at the page: one that has paused, or was hidden, goes on at once. */
const touch = ({type}) => {
  const paused = Date.now() - touched > pause;
  touched = Date.now();
  if (paused || type === 'visibilitychange') watch();
};

const TOUCHES = ['pointermove', 'pointerdown', 'keydown', 'visibilitychange'];
for (const name of TOUCHES) document.addEventListener(name, touch, {passive: true});
watch();
