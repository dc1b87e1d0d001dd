import {BUTTONS_SHEET, createIcon} from '../buttons/buttons.js';
import {channelData, loadChannel} from '../buttons/channels.js';
import {createLocalized, loadTranslations, translate} from '../buttons/i18n.js';
import {config} from '../config.js';
import {createElement} from '../dom.js';
import {nextTask} from '../nextTask.js';
import {createStyleSheet} from '../styleSheet.js';

/** Templates of profile URLs. Networks that are not listed use `NETWORK.com/ACCOUNT`. */
const PROFILES = {
  x: 'x.com/$',
  facebook: 'www.facebook.com/$',
  instagram: 'www.instagram.com/$',
  threads: 'www.threads.net/@$',
  linkedin: 'www.linkedin.com/$',
  bluesky: 'bsky.app/profile/$',
  telegram: 't.me/$',
  whatsapp: 'whatsapp.com/channel/$',
  reddit: 'www.reddit.com/$',
  pinterest: 'www.pinterest.com/$',
  tumblr: 'www.tumblr.com/$',
  vk: 'vk.com/$',
  xing: 'www.xing.com/$',
  weibo: 'weibo.com/$',
  flipboard: 'flipboard.com/@$',
  discord: 'discord.gg/$',
  snapchat: 'www.snapchat.com/add/$',
};

/** Follow links differ from share buttons: a label in front of them, and a ring around each. */
const FOLLOW_SHEET = createStyleSheet(
  '.follow>span{align-self:center;padding:4px 8px;text-align:center;font:600 12px system-ui;color:var(--grapevine-color,inherit)}' +
    '.follow{display:flex;flex-wrap:wrap;margin:0;padding:0!important;background:none!important;box-shadow:none!important;outline:0!important}' +
    '.follow a{border-radius:50%}.follow a:not(:focus-visible){outline:1px solid #8886;outline-offset:-1px}' +
    'div>.follow>span{box-sizing:border-box;max-width:var(--grapevine-size,44px);padding:6px 0;font-size:10px;overflow-wrap:anywhere}' +
    'div>.follow{flex:none;gap:4px;flex-wrap:nowrap!important;align-items:center;flex-direction:inherit;border-radius:inherit}',
);

/**
 * Entry of the follow part: adds links to the site's own accounts. They carry no token and are not reported.
 * @param {HTMLElement} host `<grapevine-follow>`, or the element of a bar
 * @param {HTMLElement} [bar] to add the links to
 */
export const start = async (host, bar) => {
  if (!bar && host.shadowRoot) return;
  const root = host.shadowRoot || host.attachShadow({mode: 'open'});
  const accounts = [...(host.getAttribute('accounts') || config.follow || '').matchAll(/(\w+):([^\s,]+)/g)];
  await Promise.all([loadTranslations(), ...accounts.map(([, network]) => loadChannel(network))]);
  await nextTask();
  const label = translate('follow', 'Follow');
  const group = createLocalized('div', {part: 'follow', className: 'follow', role: 'group', ariaLabel: label});
  group.append(createElement('span', {part: 'label', textContent: label, ariaHidden: 'true'}));
  for (const [, network, account] of accounts) {
    const [path, , colour, brand] = channelData(network);
    const name = label + ': ' + (brand || network[0].toUpperCase() + network.slice(1));
    const link = createElement('a', {
      part: 'link',
      title: name,
      ariaLabel: name,
      href: profileUrl(network, account),
      target: '_blank',
      rel: 'me noopener',
    });
    link.style.setProperty('--brand', colour || '');
    link.append(createIcon(path || channelData('copy')[0]));
    group.append(link);
  }
  root.adoptedStyleSheets.push(...(bar ? [FOLLOW_SHEET] : [BUTTONS_SHEET, FOLLOW_SHEET]));
  (bar || root).append(group);
};

const profileUrl = (network, account) => {
  if (/^(https:)?\/\//.test(account)) return account;
  const [user, server] = account.replace(/^@/, '').split('@');
  if (server) return `https://${server}/@${user}`;
  return 'https://' + (PROFILES[network] || network + '.com/$').replace('$', user);
};
