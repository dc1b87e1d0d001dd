import {config} from './config.js';
import {callPart} from './lazyParts.js';
import {MAY_STORE, STORAGE_KEY, tab} from './tabStorage.js';

const ANSWER_TIMEOUT = 150;

let channel;
let longMemory;

/** Answers the site's other open tabs when they ask whose token they were opened with. */
export const answerOtherTabs = () => {
  if (!MAY_STORE) return;
  if (config.storage == 'local') longMemory = callPart('longMemory');
  channel = new BroadcastChannel(STORAGE_KEY);
  channel.onmessage = (event) => tab.own.includes(event.data) && channel.postMessage('+' + event.data);
};

/** Whether this browser made a token itself: by its own memory, or by that of the other tabs, who have 150 ms to answer. */
export const isOwnToken = async (token) => {
  if ((await longMemory)?.(token)) return true;
  if (channel) return new Promise((answer) => {
    channel.addEventListener('message', (event) => event.data == '+' + token && answer(true));
    setTimeout(answer, ANSWER_TIMEOUT);
    channel.postMessage(token);
  });
};
