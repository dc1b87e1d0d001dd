import {BESIDE} from '../lazyParts.js';

/** One of the small files beside the script: a channel's looks by its name, a language's words by its code. */
export const dataFile = async (name) => ((await fetch(BESIDE + name + '.json')).json());
