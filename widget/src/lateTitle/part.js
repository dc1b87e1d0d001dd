import {pageTitle} from '../pageTitle.js';
import {requestTokens} from '../requestTokens.js';
import {tab} from '../tabStorage.js';
import {pageUrl} from '../url.js';
import {trackPage} from '../visit.js';

/**
 * Entry of the part for a title that was set after the page had come: reports the visit once more if it is that of the
 * visit's first page. Not after another page was shown meanwhile: a router that goes back changes the address before the
 * title. The empty name of a channel, of which there never is a token, lets `requestTokens` repeat the report.
 */
export const start = () => {
  const {landing} = tab;
  if (landing?.url != pageUrl() || landing.title != trackPage.view.title) return;
  landing.title = pageTitle();
  return requestTokens(['']);
};
