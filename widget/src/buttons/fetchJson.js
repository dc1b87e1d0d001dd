import {FILE_PREFIX} from '../lazyParts.js';

/** One of the small files beside the script: a channel's looks by its name, a language's words by its code. */
export const fetchJson = async (name) => ((await fetch(FILE_PREFIX + name + '.json')).json());
