import {watchers} from '../onChange.js';
import {data} from '../config.js';
import {guard} from '../guard.js';
import {REMEMBERS, tab} from '../tabStorage.js';
import {tag, untag} from '../url.js';
import {want} from '../visit.js';

/** Keeps the reader's own token in the address bar. Without a memory a reload would be a return, so then it stays out. */
export const start = () => {
  if (data.addressBar != 'on' || !REMEMBERS) return;
  const put = guard(() => {
    const {address} = tab.tokens;
    const url = address ? tag(location.href, address) : untag(location.href)[0];
    if (url != location.href) history.replaceState(history.state, '', url);
  });
  watchers.add(put);
  put();
  return want(['native', 'copy', 'address']);
};
