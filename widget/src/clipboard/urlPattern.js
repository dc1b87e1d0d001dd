/**
 * Matches http(s) URLs in running text, without the punctuation and the marks without width after them; parentheses only in
 * pairs. Where URLs are joined by commas alone, each is one.
 */
export const URL_PATTERN = /https?:\/\/(?:\([^\s()]*\)|[^\s<>"　-。〈-】！），：；？」])+?(?=[.,:;!?'\]})*_`~|،؛؟’“”‹›«»–—…\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069]*(?:[,;|]https?:|(?![^\s<>"　-。〈-】！），：；？」])))/gi;
