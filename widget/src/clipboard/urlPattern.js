/** Matches http(s) URLs in running text, without the punctuation after them; parentheses only in pairs. */
export const URL_PATTERN = /https?:\/\/(?:\([^\s()]*\)|[^\s<>"、。，」）])+?(?=[.,:;!?'\]})*_’“”»…]*(?![^\s<>"、。，」）]))/gi;
