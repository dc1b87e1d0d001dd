import {data} from './config.js';
import {REMEMBERS, shared, tab} from './tab.js';

const WAIT = 80;
const MINE = 'mine ';

let channel;
let hear;

/** Answers the site's other open tabs when they ask whose token they were opened with. */
export function listen() {
  if (!REMEMBERS || !window.BroadcastChannel) return;
  channel = new BroadcastChannel('grapevine:' + data.site);
  channel.onmessage = (event) => {
    if (tab.own.includes(event.data)) channel.postMessage(MINE + event.data);
    else hear?.(event.data);
  };
}

/** Asks whether this browser made a token itself: its own memory, then the other tabs, who have 80 ms to answer. */
export function isMine(token) {
  return new Promise((answer) => {
    if (!channel || shared().includes(token)) return answer(channel);
    hear = (said) => said == MINE + token && answer(true);
    setTimeout(answer, WAIT);
    channel.postMessage(token);
  });
}
