import {DIGEST} from 'grapevine:digest';
import {inner} from 'grapevine:inner';
import {data, HOME} from './config.js';
import {guard, warn} from './guard.js';

/** What the files beside the script begin with. */
export const BESIDE = HOME + 'widget.' + DIGEST + '.';

/** What the names of the widget's elements begin with. */
export const ELEMENT = data.element || 'grapevine';

const parts = {};

/** A part of the widget that stands in a file of its own: its `start`; undefined if it cannot be had. Fetched once, when it is first needed. */
export const load = (name) => ((parts[name] ||= import(BESIDE + name + '.js').then((part) => part.default(inner), warn)));

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
  if (data.addressBar) use('addressBar');
};
