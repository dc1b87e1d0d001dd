import {KEY, REMEMBERS, shared, tab} from './tab.js';

const WAIT = 80;

let channel;
let hear;

/** Answers the site's other open tabs when they ask whose token they were opened with. */
export const listen = () => {
  if (!REMEMBERS) return;
  channel = new BroadcastChannel(KEY);
  channel.onmessage = ({data: [token, mine]}) =>
    mine ? hear?.(token) : tab.own.includes(token) && channel.postMessage([token, true]);
};

/** Asks whether this browser made a token itself: its own memory, then the other tabs, who have 80 ms to answer. */
export const isMine = (token) => {
  return new Promise((answer) => {
    if (!channel || shared().some(([own]) => own == token)) return answer(channel);
    hear = (said) => said == token && answer(true);
    setTimeout(answer, WAIT);
    channel.postMessage([token]);
  });
};
