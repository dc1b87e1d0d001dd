import {DIGEST} from 'grapevine:digest';
import {inner} from 'grapevine:inner';
import {HOME} from './config.js';
import {warn} from './guard.js';

/** What the files beside the script begin with. */
export const BESIDE = HOME + 'widget.' + DIGEST + '.';

const parts = {};

/** A part of the widget that stands in a file of its own: its `start`; undefined if it cannot be had. Fetched once, when it is first needed. */
export const load = (name) => ((parts[name] ||= import(BESIDE + name + '.js').then((part) => part.default(inner), warn)));
