import {TRACKING_NAME} from 'grapevine:tracking';
import {config} from '../config.js';

const TRACKING_PATTERN = new RegExp(TRACKING_NAME, 'i');

/**
 * Takes the parameters that only track out of the query and the fragment of a URL, and keeps every other byte. The
 * server leaves the same ones out of a page's address (domain/tracking_parameters.py). Parameters in `data-query` and
 * `data-keep` stay.
 * @param {string} url
 * @returns {string}
 */
export const withoutTracking = (url) => {
  const kept = [config.query, config.keep].join(' ').split(/[\s,]+/);
  const tracks = (parameter) => {
    const name = parameter
      .replace(/=.*/, '')
      .replace(/\+/g, ' ')
      .replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode('0x' + hex));
    return TRACKING_PATTERN.test(name) && !kept.includes(name);
  };
  const cleanList = (whole, before, list) => {
    const rest = list
      .split('&')
      .filter((parameter) => !tracks(parameter))
      .join('&');
    // The mark in front of the list goes with the last parameter; one that stands there alone stays.
    return rest == list ? whole : rest ? before + rest : before.slice(0, -1);
  };
  return url.replace(/^([^?#]*\?)([^#]*)/, cleanList).replace(/(#(?:[^?=&]*\?)?)(.*)/, cleanList);
};
