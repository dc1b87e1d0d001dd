import {DIGEST} from 'grapevine:digest';
import {SHARED} from 'grapevine:shared';
import {config, SCRIPT_FOLDER} from './config.js';
import {guard, warn} from './guard.js';

/** URL of the script's other files, up to their own name: parts (`NAME.js`) and data (`NAME.json`). */
export const FILE_PREFIX = SCRIPT_FOLDER + 'widget.' + DIGEST + '.';

/** The prefix of the names of the widget's elements. */
export const ELEMENT_PREFIX = config.element || 'grapevine';

/** Promises of the parts' `start`; of undefined for a part that could not be loaded. */
export const loadedParts = {};

/**
 * Loads a part of the widget once, and calls its `start`; does nothing if the part could not be loaded. `import()` rather
 * than a script element, because it needs no permission of its own under a Content Security Policy or Trusted Types
 * (docs/decisions/0018). A failure is forgotten after a second: the reader may have been without a connection for a
 * moment, but no event of a page makes more requests than that.
 */
export const callPart = guard(async (name, ...args) =>
  (await (loadedParts[name] ||= import(FILE_PREFIX + name + '.js').then(
    (part) => part.default(SHARED),
    (error) => {
      setTimeout(() => (loadedParts[name] = warn(error)), 1e3);
    },
  )))?.(...args),
);

/** Returns whether the page has the bar that stays in view: not with the positions `inline` and `none`. */
export const hasStickyBar = () => config.buttons != '' && !/e$/.test(config.position);

/**
 * Defines the custom elements and loads the parts that the script element asks for. The buttons' part forwards the
 * others.
 */
export const startParts = () => {
  for (const name of ['buttons', 'follow', 'forget', 'survey']) {
    customElements.define(
      ELEMENT_PREFIX + '-' + name,
      class extends HTMLElement {
        connectedCallback() {
          callPart('buttons', this);
        }
        /** The sticky bar alone has `removed`. */
        disconnectedCallback() {
          this.removed?.();
        }
      },
    );
  }
  if (hasStickyBar() || config.survey) callPart('buttons');
  if (config['address-bar']) callPart('addressBar');
  if (config.link) callPart('shortLinks');
};
