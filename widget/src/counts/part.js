import {watchers} from '../onChange.js';
import {word} from '../buttons/i18n.js';
import {make} from '../dom.js';
import {rest} from '../nextTask.js';
import {data, ENDPOINT} from '../config.js';
import {allowed} from '../consentState.js';
import {guard} from '../guard.js';
import {sheetOf} from '../styleSheet.js';
import {pageUrl} from '../url.js';

const LOOK = sheetOf(
  'a,button{position:relative;opacity:1}' +
    'b{position:absolute;inset:auto 0 1px;text-align:center;font:600 10px/1 system-ui;white-space:nowrap}' +
    'b.total{inset:-16px auto auto;inset-inline-start:0;padding:0 7px;border-radius:9px;font-size:11px;line-height:18px;' +
    'background:var(--grapevine-accent,#4f46e5);color:#fff;pointer-events:none}' +
    'p{margin-bottom:14px}' +
    ':host([position]) b.total{inset:-14px auto auto 50%;translate:-50%}',
);

const asked = {};
let made;

/** How numbers are written in the language of the words. Made once: they cost more than all else that is done here. */
const formats = () => {
  const lang = word('lang');
  return (made ||= {plurals: new Intl.PluralRules(lang), whole: new Intl.NumberFormat(lang)});
};

/** How often a page was shared, by channel; asked for once. Private shares are among them. */
const ask = (url) =>
  (asked[url] ||= fetch(`${ENDPOINT}v1/counts?site=${data.site}&url=${encodeURIComponent(url)}`, {credentials: 'omit'})
    .then((response) => (response.ok ? response.json() : {}))
    .catch(() => ({})));

/** Writes the counts on the buttons of one bar; a number lies over its button, so that nothing moves. */
export const start = async (root) => {
  root.adoptedStyleSheets.push(LOOK);
  await rest();
  formats();
  let shown;
  const show = guard(async () => {
    if (!root.host.isConnected) return watchers.delete(show);
    const url = pageUrl();
    if (!allowed() || url == shown) return;
    shown = url;
    const {total = 0, channels = {}} = await ask(url);
    await rest();
    root.querySelectorAll('b').forEach((badge) => badge.remove());
    write(root.querySelector('[part=bar]'), word('bar'), total, 'total');
    root.querySelectorAll('[data-channel]').forEach((button) => write(button, button.title, channels[button.dataset.channel], 'count'));
  });
  watchers.add(show);
  await show();
};

const write = (element, name, count, part) => {
  element.ariaLabel = name;
  if (!count) return;
  const forms = word('count') || {one: '$ share', other: '$ shares'};
  const {plurals, whole} = formats();
  const plural = forms[plurals.select(count)] || forms.other;
  const text = (count < 1e3 ? whole : (made.short ||= new Intl.NumberFormat(word('lang'), {notation: 'compact'}))).format(count);
  element.ariaLabel = name + ', ' + plural.replace('$', whole.format(count));
  (part == 'total' ? element.parentNode : element).append(make('b', {part, className: part, textContent: text, ariaHidden: 'true'}));
};
