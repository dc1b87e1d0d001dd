/**
 * Returns the title of the page as reports carry it: cut to 300 code points, which is what the server stores, without
 * halves of surrogate pairs, which are no characters. So no title makes a report too large or unreadable; a form of that
 * name is made a text.
 */
export const pageTitle = () => [...document.title + ''].slice(0, 300).join('').replace(/\p{Cs}/gu, '\ufffd');
