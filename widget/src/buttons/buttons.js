// Not sorted by name: the linker keeps this order, in which the part compresses best (main.js).
import {callPart} from '../lazyParts.js';
import {pageUrl} from '../url.js';
import {reportShare, shareUrl} from '../share.js';
import {config} from '../config.js';
import {changeListeners} from '../onChange.js';
import {guard} from '../guard.js';
import {requestTokens} from '../requestTokens.js';
import {BUTTONS_CSS} from './style.js';
import {pageScheme} from './pageScheme.js';
import {nextTask} from '../nextTask.js';
import {createLocalized, loadTranslations, translate} from './i18n.js';
import {createElement} from '../dom.js';
import {shareVia} from './shareVia.js';
import {createStyleSheet} from '../styleSheet.js';
import {channelData, channelLink, loadChannel} from './channels.js';
import {DEFAULT_CHANNELS, parseChannels} from './defaultChannels.js';

const SVG_NAMESPACE = 'http://www.w3.org/2000/svg';

/** The style sheet of everything that looks like a button of a bar. */
export const BUTTONS_SHEET = createStyleSheet(BUTTONS_CSS);

/**
 * Draws the bar of one `<grapevine-buttons>` once, and updates its links while the element is in the page. An element
 * that the page takes out and puts back, or moves while it is being drawn, keeps its bar.
 */
export const drawButtons = async (host) => {
  const refresh = await (host.refresh ||= renderBar(host));
  changeListeners.add(refresh);
  refresh();
};

/**
 * Draws the bar.
 * @returns {Promise<() => void>} updates the links, or stops listening when the element has left the page
 */
const renderBar = async (host) => {
  const text = host.getAttribute('channels') ?? config.buttons;
  const defaults = text == null && parseChannels(DEFAULT_CHANNELS);
  const channels = defaults ? defaults.slice(0, 8) : parseChannels(text);
  const sticky = host.hasAttribute('position');
  const root = host.attachShadow({mode: 'open'});
  guard(requestTokens)(defaults || parseChannels('native copy', channels));
  await Promise.all([loadTranslations(), ...channels.map(loadChannel)]);
  await nextTask();
  const bar = createLocalized('div', {
    part: 'bar',
    role: sticky ? 'region' : 'group',
    ariaLabel: translate('bar'),
  });
  const notice = createLocalized('p', {part: 'status', role: 'status'});
  let timer;
  const refreshes = channels.map((channel) => {
    const [path, , colour, brand] = channelData(channel);
    const name = translate(channel, brand) || channel[0].toUpperCase() + channel.slice(1);
    const href = () => channelLink(channel, shareUrl(channel));
    const button = createElement(href() ? 'a' : 'button', {part: 'button', ariaLabel: name, title: name});
    const refresh = () => href() && Object.assign(button, {href: href(), target: '_blank', rel: 'noopener'});
    button.onclick = button.onauxclick = guard((event) => {
      if (event.button > 1) return; // the right button opens a menu; the middle one a link
      if (refresh()) return reportShare(channel, pageUrl());
      return shareVia(channel, () => {
        notice.style.marginTop = button.offsetTop + 'px';
        notice.textContent =
          '✓ ' + translate('copied') + (channel == 'copy' ? '' : ' · ' + translate('paste').replace('$', name));
        clearTimeout(timer);
        timer = setTimeout(() => (notice.textContent = ''), 5e3);
      });
    });
    button.style.setProperty('--brand', colour || '');
    button.dataset.channel = channel;
    button.append(createIcon(path || channelData('copy')[0]));
    if (channel != 'native' || navigator.share) bar.append(button);
    return refresh;
  });
  const refreshAll = () => {
    if (!host.isConnected) return changeListeners.delete(refreshAll);
    refreshes.forEach((refresh) => refresh());
    host.style.colorScheme = pageScheme();
    const look = host.getAttribute('look') || config.look;
    if (look) return callPart('looks', root, bar, look);
  };
  root.adoptedStyleSheets = [BUTTONS_SHEET];
  navigator.clipboard || callPart('copyCommand'); // loads it before a click, within which it must run
  // The element inherits the page's colours, so when they change, a transition of its own ends.
  host.ontransitionend = refreshAll;
  // The last two stay together, so that a row that wraps leaves none alone.
  if (!sticky) bar.appendChild(createElement('i')).append(...[...bar.children].slice(-3, -1));
  await refreshAll();
  // Follow links that are added later would move the bar, which is centred.
  if (config.follow && sticky) await callPart('follow', host, bar);
  root.append(bar, notice);
  if (sticky) {
    new ResizeObserver(async () => {
      if (bar.clientWidth + bar.clientHeight >= bar.scrollWidth + bar.scrollHeight) return;
      bar.style.visibility = 'hidden'; // so that nothing is seen to move
      await callPart('more', root, bar);
      bar.style.visibility = '';
    }).observe(bar);
  }
  if (config.counts) callPart('counts', root);
  return refreshAll;
};

/** Creates an icon from a path on a field of 120 × 120. */
export const createIcon = (path) => {
  const svg = document.createElementNS(SVG_NAMESPACE, 'svg');
  svg.setAttribute('viewBox', '0 0 120 120');
  svg.appendChild(document.createElementNS(SVG_NAMESPACE, 'path')).setAttribute('d', path);
  return svg;
};
