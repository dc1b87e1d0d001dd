import {DIGEST} from 'grapevine:digest';
import {SHARED} from 'grapevine:shared';
import {config, SCRIPT_FOLDER} from './config.js';
import {guard, warn} from './guard.js';

/** What the files beside the script begin with. */
export const FILE_PREFIX = SCRIPT_FOLDER + 'widget.' + DIGEST + '.';

/** What the names of the widget's elements begin with. */
export const ELEMENT_PREFIX = config.element || 'grapevine';

const loadedParts = {};

/** A part of the widget that stands in a file of its own: its `start`; undefined if it cannot be had. Fetched once, when it is first needed. */
export const loadPart = (name) => ((loadedParts[name] ||= import(FILE_PREFIX + name + '.js').then((part) => part.default(SHARED), warn)));

/** Calls a part, if it can be had. */
export const callPart = guard(async (part, ...args) => (await loadPart(part))?.(...args));

/** Whether there is a bar that stays in view. */
export const hasStickyBar = () => config.buttons != '' && !/inline|none/.test(config.position);

/** Has the page's elements, and what its script element asks for, come alive by the parts that know how. */
export const startParts = () => {
  for (const name of ['buttons', 'follow', 'survey']) {
    customElements.define(
      ELEMENT_PREFIX + '-' + name,
      class extends HTMLElement {
        connectedCallback() {
          callPart('buttons', this);
        }
      },
    );
  }
  if (hasStickyBar() || config.survey) callPart('buttons');
  if (config.addressBar) callPart('addressBar');
};
