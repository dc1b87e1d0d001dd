import {data} from './config.js';
import {REMEMBERS, shared, tab} from './tab.js';

const WAIT = 80;

let channel;

/** Answers the site's other open tabs when they ask whose token they were opened with. */
export function listen() {
  if (!REMEMBERS || !window.BroadcastChannel) return;
  channel = new BroadcastChannel('grapevine:' + data.site);
  channel.addEventListener('message', (event) => {
    if (tab.own.includes(event.data)) channel.postMessage([event.data]);
  });
}

/** Asks whether this browser made a token itself: its own memory, then the other tabs, who have 80 ms to answer. */
export function isMine(token) {
  return new Promise((answer) => {
    if (!channel || shared()[token]) return answer(token in shared());
    setTimeout(answer, WAIT);
    channel.addEventListener('message', (event) => {
      if (event.data[0] == token) answer(true);
    });
    channel.postMessage(token);
  });
}
