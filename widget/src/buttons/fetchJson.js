import {FILE_PREFIX} from '../lazyParts.js';

/** Fetches one of the script's data files: of a channel by its name, or of a language by its code. */
export const fetchJson = async (name) => ((await fetch(FILE_PREFIX + name + '.json')).json());
