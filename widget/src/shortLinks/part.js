import {config, ENDPOINT} from '../config.js';
import {warn} from '../guard.js';
import {notifyChange} from '../onChange.js';
import {shareUrl} from '../share.js';
import {cleanUrl} from '../url.js';
import {showsSecret} from './showsSecret.js';

/** The page that the console has named already. */
let namedPage;

/** Entry of the part for short links and QR codes. Returns `shortUrl`; with `data-link="short"` every share uses it. */
export const start = () => {
  if (config.link == 'short' && !shareUrl.tokenUrl) {
    shareUrl.tokenUrl = shortUrl;
    notifyChange();
  }
  return shortUrl;
};

/**
 * Returns the short URL of a share of this page; undefined if it would lead to another page, since the server does not
 * store all of this page's URL. The console says so.
 */
const shortUrl = (token) => {
  const url = cleanUrl();
  if (!showsSecret(url)) return ENDPOINT + 's/' + token;
  if (namedPage != url)
    warn(
      'This page is shared by its own address and not by a short link, because the address holds what looks like a' +
        ' password, a token or an e-mail address, which the server does not store.',
    );
  namedPage = url;
};
