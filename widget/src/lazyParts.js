import {data} from './config.js';
import {guard} from './guard.js';
import {load} from './load.js';

/** What the names of the widget's elements begin with. */
export const ELEMENT = data.element || 'grapevine';

/** Calls a part, if it can be had. */
export const use = guard(async (part, ...args) => (await load(part))?.(...args));

/** Whether there is a bar that stays in view. */
export const hasBar = () => data.buttons != '' && !/inline|none/.test(data.position);

/** Has the page's elements, and what its script element asks for, come alive by the parts that know how. */
export const startParts = () => {
  for (const name of ['buttons', 'follow', 'survey']) {
    customElements.define(
      ELEMENT + '-' + name,
      class extends HTMLElement {
        connectedCallback() {
          use('buttons', this);
        }
      },
    );
  }
  if (hasBar() || data.survey) use('buttons');
  if (data.addressBar) use('address');
};
