import {config} from '../config.js';
import {mayCollect} from '../consentState.js';
import {guard, warn} from '../guard.js';
import {tab} from '../tabStorage.js';

/** Seconds in which the function of another script must appear. */
const PATIENCE = 30;

/**
 * Entry of the part for `data-forward`, called for each of the widget's events: tells the page's other analytics of
 * shares and of other people's returns (docs/forwarding.md). Nothing of a visit that is not counted, and of no visit.
 * @param {string} event `share`, `return`, or another one
 * @param {{channel: string, url?: string, valid?: boolean, depth?: number, self?: boolean}} detail
 */
export const start = (event, {channel, url = location, valid = event == 'share', self}) => {
  if (!valid || self || !tab.visit || !mayCollect()) return;
  const name = event == 'share' ? event : 'grapevine_' + event;
  const depth = tab.returned?.depth || 0;
  const {source} = tab;
  const properties = {channel, depth, source};
  const google = {
    method: channel,
    content_type: 'page',
    item_id: new URL(url).pathname,
    grapevine_depth: depth,
    grapevine_source: source,
  };
  /** The public functions: object of the page, method, arguments. */
  const calls = {
    datalayer: ['dataLayer', 'push', {event: name, ...google}],
    gtag: ['gtag', 'call', null, 'event', name, google],
    matomo: ['_paq', 'push', ['trackEvent', 'grapevine', name, [channel, source].join(' / '), depth]],
    plausible: ['plausible', 'call', null, name, {props: properties}],
    posthog: ['posthog', 'capture', name, properties],
    umami: ['umami', 'track', name, properties],
  };
  for (const script of config.forward.toLowerCase().match(/\w+/g) || [])
    if (calls[script]) tell(PATIENCE, calls[script]);
    else warn('cannot forward to ' + script);
};

/** Calls the function now, or as soon as the other script is there; its queue, where that is an array, takes it at once. */
const tell = guard((tries, [object, method, ...details]) => {
  if (method == 'push') window[object] ||= [];
  if (window[object]?.[method]) return window[object][method](...details);
  if (tries) setTimeout(tell, 1e3, tries - 1, [object, method, ...details]);
});
