import {config} from '../config.js';

/**
 * Returns the colour scheme of what lies over the page: `data-theme`, else the page's own scheme, else what the
 * lightness of its background says, else both, which leaves the choice to the system.
 */
export const pageScheme = () => {
  const html = document.documentElement;
  const body = getComputedStyle(document.body || html);
  for (const scheme of [config.theme, body.colorScheme]) if (/light/.test(scheme) != /dark/.test(scheme)) return scheme;
  for (const {backgroundColor: color} of [body, getComputedStyle(html)]) {
    // Three numbers, and the opacity if there is any: `rgb(…)`, or as the page wrote it, `oklch(…)`, `lab(…)`, `color(…)`.
    const [first, second, third, opacity = 1] = color.match(/(?<=[( ])-?[\d.]+/g);
    const lightness = /^[lo]/.test(color) ? first : first * 0.3 + second * 0.6 + third * 0.1;
    if (opacity > 0.5) return lightness < ({r: 128, l: 50}[color[0]] || 0.5) ? 'dark' : 'light';
  }
  return 'light dark';
};
