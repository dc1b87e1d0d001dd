import {watchers} from '../onChange.js';
import {data} from '../config.js';
import {guard} from '../guard.js';
import {use} from '../lazyParts.js';
import {report, urlFor} from '../share.js';
import {sheetOf} from '../styleSheet.js';
import {pageUrl} from '../url.js';
import {want} from '../visit.js';
import {share} from './shareVia.js';
import {kindOf, know, linkOf} from './channels.js';
import {make} from '../dom.js';
import {rest} from '../nextTask.js';
import {STYLE} from './style.js';
import {CHANNELS, channelsIn} from './defaultChannels.js';
import {speak, spoken, word} from './i18n.js';

/** Channels that say by themselves what they did. */
const ASIDE = /^(native|mastodon|qr|print)$/;
const SVG = 'http://www.w3.org/2000/svg';

/** The look of all that stands in a bar. */
export const SHEET = sheetOf(STYLE);

/** Draws the buttons of one `<grapevine-buttons>`, once, and keeps their links up to date while it stands in the page. */
export const drawButtons = async (host) => {
  host.refresh ||= await draw(host);
  watchers.add(host.refresh);
};

const draw = async (host) => {
  const text = host.getAttribute('channels') ?? data.buttons;
  const channels = text == null ? channelsIn(CHANNELS).slice(0, 8) : channelsIn(text);
  const root = host.attachShadow({mode: 'open'});
  guard(want)(text == null ? channelsIn(CHANNELS) : channelsIn('native copy', channels));
  await Promise.all([speak(), ...channels.map(know)]);
  await rest();
  const bar = spoken('div', {part: 'bar', role: host.hasAttribute('position') ? 'region' : 'group', ariaLabel: word('bar')});
  const notice = spoken('p', {part: 'status', role: 'status'});
  let timer;
  const refreshes = channels.map((channel) => {
    const [path, , colour, brand] = kindOf(channel);
    const name = word(channel, brand) || channel[0].toUpperCase() + channel.slice(1);
    const href = () => linkOf(channel, urlFor(channel));
    const button = make(href() ? 'a' : 'button', {part: 'button', title: name, ariaLabel: name});
    const refresh = () => href() && Object.assign(button, {href: href(), target: '_blank', rel: 'noopener'});
    button.onclick = button.onauxclick = guard(async (event) => {
      if (event.button > 1) return;
      if (refresh()) return report(channel, pageUrl());
      if (!(await share(channel)) || ASIDE.test(channel)) return;
      notice.style.marginTop = button.offsetTop + 'px';
      notice.textContent = '✓ ' + word('copied') + (channel == 'copy' ? '' : ' · ' + word('paste').replace('$', name));
      clearTimeout(timer);
      timer = setTimeout(() => (notice.textContent = ''), 5e3);
    });
    button.style.setProperty('--brand', colour || '');
    button.dataset.channel = channel;
    button.append(icon(path || kindOf('copy')[0]));
    if (channel != 'native' || navigator.share) bar.append(button);
    return refresh;
  });
  const refreshAll = () => (host.isConnected ? refreshes.forEach((refresh) => refresh()) : watchers.delete(refreshAll));
  root.adoptedStyleSheets = [SHEET];
  if (/light|dark/.test(data.theme)) host.style.colorScheme = data.theme;
  refreshAll();
  // Links that came later would move the bar.
  if (data.follow && host.hasAttribute('position')) await use('follow', host, bar);
  root.append(bar, notice);
  if (data.counts == 'on') use('counts', root);
  return refreshAll;
};

/** An icon on a field of 24 × 24. */
export const icon = (path) => {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.appendChild(document.createElementNS(SVG, 'path')).setAttribute('d', path);
  return svg;
};
