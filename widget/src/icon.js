import {ICONS} from 'grapevine:icons';
import {ICONS_FILE} from 'grapevine:files';
import {HOME} from './config.js';

const SVG = 'http://www.w3.org/2000/svg';

let more;

/** The channel's icon; one that the script does not carry is fetched. */
export function icon(channel) {
  const svg = document.createElementNS(SVG, 'svg');
  const path = svg.appendChild(document.createElementNS(SVG, 'path'));
  const draw = (icons) => path.setAttribute('d', icons[channel] || ICONS.copy);
  svg.setAttribute('viewBox', '0 0 24 24');
  if (ICONS[channel]) draw(ICONS);
  else {
    more ||= fetch(HOME + ICONS_FILE).then((response) => response.json());
    more.then(draw, () => draw(ICONS));
  }
  return svg;
}
