import {translate} from '../buttons/i18n.js';
import {config, ENDPOINT} from '../config.js';
import {mayCollect} from '../consentState.js';
import {createElement} from '../dom.js';
import {guard} from '../guard.js';
import {callPart} from '../lazyParts.js';
import {nextTask} from '../nextTask.js';
import {changeListeners} from '../onChange.js';
import {createStyleSheet} from '../styleSheet.js';
import {cleanUrl} from '../url.js';

const COUNTS_SHEET = createStyleSheet(
  'a,button{position:relative;opacity:1}' +
    'b{position:absolute;inset:auto 0 1px;text-align:center;font:600 10px/1 system-ui;white-space:nowrap}' +
    'b.total{inset:-16px auto auto;inset-inline-start:0;padding:0 7px;border-radius:9px;font-size:11px;line-height:18px;' +
    'background:var(--grapevine-accent,#4f46e5);color:#fff;pointer-events:none}' +
    'p{margin-bottom:14px}' +
    ':host([position]) b.total{inset:-14px auto auto 50%;translate:-50%}' +
    // Beside a bar on the left or right there is no room for words but over the page, and above it only what it leaves.
    '@media(min-width:1000px){' +
    ':host([position$=t]) b.total{inset:-14px auto auto 0;translate:0}' +
    ':host([position=right]) b.total{inset:-14px 0 auto auto}' +
    ':host([position$=t]) div{max-height:calc(96vh - 24px)}' +
    '}',
);

/** Responses by page URL: each page is fetched once. */
const requests = {};
let formatters;

/** Returns plural rules and number format of the language. Created once: nothing else here costs as much time. */
const getFormatters = () => {
  const lang = translate('lang');
  return (formatters ||= {plurals: new Intl.PluralRules(lang), whole: new Intl.NumberFormat(lang)});
};

/** Fetches how often a page was shared, by channel, private shares included. An error counts as no shares. */
const fetchCounts = (url) =>
  (requests[url] ||= fetch(`${ENDPOINT}v1/counts?site=${config.site}&url=${encodeURIComponent(url)}`, {credentials: 'omit'})
    .then((response) => (response.ok ? response.json() : {}))
    .catch(() => ({})));

/**
 * Entry of the counts part: shows the counts on the buttons of one bar. Each number lies over its button, so nothing
 * moves.
 * @param {ShadowRoot} root of the bar
 */
export const start = async (root) => {
  if (config.counts != 'on') return;
  root.adoptedStyleSheets.push(COUNTS_SHEET);
  await nextTask();
  getFormatters();
  let shownUrl;
  const refresh = guard(async () => {
    if (!root.host.isConnected) return changeListeners.delete(refresh);
    // The URL of a request is logged on its way.
    if (/=/.test(location.href)) await callPart('clean');
    const url = cleanUrl();
    if (!mayCollect() || url == shownUrl) return;
    shownUrl = url;
    const {total = 0, channels = {}} = await fetchCounts(url);
    await nextTask();
    root.querySelectorAll('b').forEach((badge) => badge.remove());
    showCount(root.querySelector('[part=bar]'), translate('bar'), total, 'total');
    root
      .querySelectorAll('[data-channel]')
      .forEach((button) => showCount(button, button.title, channels[button.dataset.channel], 'count'));
  });
  changeListeners.add(refresh);
  await refresh();
};

/** Adds a badge to an element, and the count to its accessible name. */
const showCount = (element, name, count, part) => {
  element.ariaLabel = name;
  if (!count) return;
  const forms = translate('count') || {one: '$ share', other: '$ shares'};
  const {plurals, whole} = getFormatters();
  const plural = forms[plurals.select(count)] || forms.other;
  const format =
    count < 1e3 ? whole : (formatters.short ||= new Intl.NumberFormat(translate('lang'), {notation: 'compact'}));
  element.ariaLabel = name + ', ' + plural.replace('$', whole.format(count));
  const number = format.format(count);
  // A short number takes the plural of its unit: "1,2 тыс. репостов", "1,2 M de partages".
  const word = forms[plurals.select(count < 1e3 ? count : count < 1e6 ? 1e3 : 1e6)] || forms.other;
  (part == 'total' ? element.parentNode : element).append(
    createElement('b', {part, className: part, textContent: part == 'total' ? word.replace('$', number) : number, ariaHidden: 'true'}),
  );
};
