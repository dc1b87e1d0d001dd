import {data} from './config.js';
import {use} from './lazyParts.js';
import {KEY, REMEMBERS, tab} from './tabStorage.js';

const WAIT = 150;

let channel;
let remembered;

/** Answers the site's other open tabs when they ask whose token they were opened with. */
export const listen = () => {
  if (!REMEMBERS) return;
  if (data.storage == 'local') remembered = use('longMemory');
  channel = new BroadcastChannel(KEY);
  channel.onmessage = (event) => tab.own.includes(event.data) && channel.postMessage('+' + event.data);
};

/** Whether this browser made a token itself: by its own memory, or by that of the other tabs, who have 150 ms to answer. */
export const isMine = async (token) => {
  if ((await remembered)?.(token)) return true;
  if (channel) return new Promise((answer) => {
    channel.addEventListener('message', (event) => event.data == '+' + token && answer(true));
    setTimeout(answer, WAIT);
    channel.postMessage(token);
  });
};
