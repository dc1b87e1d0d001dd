import {translate} from '../buttons/i18n.js';
import {config, ENDPOINT} from '../config.js';
import {mayCollect} from '../consentState.js';
import {createElement} from '../dom.js';
import {guard} from '../guard.js';
import {nextTask} from '../nextTask.js';
import {changeListeners} from '../onChange.js';
import {createStyleSheet} from '../styleSheet.js';
import {pageUrl} from '../url.js';

const COUNTS_SHEET = createStyleSheet(
  'a,button{position:relative;opacity:1}' +
    'b{position:absolute;inset:auto 0 1px;text-align:center;font:600 10px/1 system-ui;white-space:nowrap}' +
    'b.total{inset:-16px auto auto;inset-inline-start:0;padding:0 7px;border-radius:9px;font-size:11px;line-height:18px;' +
    'background:var(--grapevine-accent,#4f46e5);color:#fff;pointer-events:none}' +
    'p{margin-bottom:14px}' +
    ':host([position]) b.total{inset:-14px auto auto 50%;translate:-50%}',
);

const requests = {};
let formatters;

/** How numbers are written in the language of the words. Made once: they cost more than all else that is done here. */
const getFormatters = () => {
  const lang = translate('lang');
  return (formatters ||= {plurals: new Intl.PluralRules(lang), whole: new Intl.NumberFormat(lang)});
};

/** How often a page was shared, by channel; asked for once. Private shares are among them. */
const fetchCounts = (url) =>
  (requests[url] ||= fetch(`${ENDPOINT}v1/counts?site=${config.site}&url=${encodeURIComponent(url)}`, {credentials: 'omit'})
    .then((response) => (response.ok ? response.json() : {}))
    .catch(() => ({})));

/** Writes the counts on the buttons of one bar; a number lies over its button, so that nothing moves. */
export const start = async (root) => {
  root.adoptedStyleSheets.push(COUNTS_SHEET);
  await nextTask();
  getFormatters();
  let shownUrl;
  const refresh = guard(async () => {
    if (!root.host.isConnected) return changeListeners.delete(refresh);
    const url = pageUrl();
    if (!mayCollect() || url == shownUrl) return;
    shownUrl = url;
    const {total = 0, channels = {}} = await fetchCounts(url);
    await nextTask();
    root.querySelectorAll('b').forEach((badge) => badge.remove());
    showCount(root.querySelector('[part=bar]'), translate('bar'), total, 'total');
    root.querySelectorAll('[data-channel]').forEach((button) => showCount(button, button.title, channels[button.dataset.channel], 'count'));
  });
  changeListeners.add(refresh);
  await refresh();
};

const showCount = (element, name, count, part) => {
  element.ariaLabel = name;
  if (!count) return;
  const forms = translate('count') || {one: '$ share', other: '$ shares'};
  const {plurals, whole} = getFormatters();
  const plural = forms[plurals.select(count)] || forms.other;
  const text = (count < 1e3 ? whole : (formatters.short ||= new Intl.NumberFormat(translate('lang'), {notation: 'compact'}))).format(count);
  element.ariaLabel = name + ', ' + plural.replace('$', whole.format(count));
  (part == 'total' ? element.parentNode : element).append(createElement('b', {part, className: part, textContent: text, ariaHidden: 'true'}));
};
