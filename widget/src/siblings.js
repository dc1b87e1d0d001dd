import {data} from './config.js';
import {REMEMBERS, shared, tab} from './tab.js';

const WAIT = 80;

let channel;
let hear;

/** Answers the site's other open tabs when they ask whose token they were opened with. */
export function listen() {
  if (!REMEMBERS) return;
  channel = new BroadcastChannel('grapevine:' + data.site);
  channel.onmessage = ({data: [token, mine]}) => {
    if (mine) hear?.(token);
    else if (tab.own.includes(token)) channel.postMessage([token, true]);
  };
}

/** Asks whether this browser made a token itself: its own memory, then the other tabs, who have 80 ms to answer. */
export function isMine(token) {
  return new Promise((answer) => {
    if (!channel || shared().some(([own]) => own == token)) return answer(channel);
    hear = (said) => said == token && answer(true);
    setTimeout(answer, WAIT);
    channel.postMessage([token]);
  });
}
