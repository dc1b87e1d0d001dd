import {guard} from '../guard.js';
import {pageTitle} from '../pageTitle.js';
import {tab} from '../tabStorage.js';
import {pageUrl} from '../url.js';
import {requestTokens, trackPage} from '../visit.js';

/**
 * Reports the visit once more if the title of its first page was set after the page had come: single-page apps often load
 * first. Not after another page was shown meanwhile: a router that goes back changes the address before the title. The
 * empty name of a channel, of which there never is a token, lets `requestTokens` repeat the report.
 */
export const reportLateTitle = guard(() => {
  const {landing, visit} = tab;
  if (!visit || landing.url != pageUrl() || landing.title != trackPage.view.title || landing.title == pageTitle()) return;
  landing.title = pageTitle();
  return requestTokens(['']);
});
