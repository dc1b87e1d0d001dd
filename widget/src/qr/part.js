import {createIcon} from '../buttons/buttons.js';
import {loadTranslations, translate} from '../buttons/i18n.js';
import {ENDPOINT} from '../config.js';
import {createElement} from '../dom.js';
import {callPart} from '../lazyParts.js';
import {reportBriefly} from '../panel/reportBriefly.js';
import {showDialog} from '../panel/showDialog.js';
import {tab} from '../tabStorage.js';
import {cleanUrl, tag} from '../url.js';

/** Pixels of one module of the saved picture, and modules of its margin, which scanners need. */
const SCALE = 16;
const MARGIN = 2;

/**
 * Entry of the part for the QR code: shows the code of the short link, or of this page's own URL where a short link would
 * lead elsewhere. The server draws it, as an SVG of our own: a strict policy blocks images.
 * @returns {Promise<boolean>} whether it was shown
 */
export const start = async () => {
  const {session, tokens: {qr: token}} = tab;
  const page = cleanUrl();
  if (!token) return false;
  const [shortUrl] = await Promise.all([callPart('shortLinks'), loadTranslations()]);
  // In a body, because addresses of requests are logged on their way.
  const own = shortUrl?.(token) ? {} : {method: 'POST', body: tag(page, token)};
  const text = await (await fetch(`${ENDPOINT}s/${token}/qr.svg`, {credentials: 'omit', ...own})).text();
  await reportBriefly('qr', page, session, token);
  const [, path] = /<path[^>]* d="([^"]+)"/.exec(text);
  const [, width] = /viewBox="0 0 (\d+)/.exec(text) || /width="(\d+)/.exec(text);
  const [, scale] = /scale\((\d+)/.exec(text) || [0, 1];
  const size = width / scale;
  const svg = createIcon(path);
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  svg.setAttribute('class', 'code');
  svg.setAttribute('part', 'code');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', page);
  svg.firstChild.setAttribute('stroke', '#000');
  const hint = createElement('span', {part: 'hint', textContent: translate('scan', 'Point a phone’s camera at the code: it opens this page there.')});
  const save = createElement('button', {className: 'main', type: 'button', textContent: translate('save', 'Save as a picture')});
  save.onclick = () => savePicture(path, size);
  const content = createElement('section');
  content.append(svg, hint, save);
  showDialog(translate('qr', 'QR code'), content);
  return true;
};

/** Saves the code as a PNG. */
const savePicture = (path, size) => {
  const side = (size + 2 * MARGIN) * SCALE;
  const canvas = createElement('canvas', {width: side, height: side});
  const context = canvas.getContext('2d');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, side, side);
  context.scale(SCALE, SCALE);
  context.translate(MARGIN, MARGIN);
  context.stroke(new Path2D(path));
  canvas.toBlob((picture) => {
    const href = URL.createObjectURL(picture);
    createElement('a', {href, download: location.hostname + '.png'}).click();
    setTimeout(() => URL.revokeObjectURL(href), 6e4);
  });
};
