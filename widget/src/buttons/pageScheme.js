import {config} from '../config.js';

/**
 * Returns the colour scheme of what lies over the page: `data-theme`, else the page's own scheme, else what the
 * lightness of its background says, else both, which leaves the choice to the system.
 */
export const pageScheme = () => {
  const [body, html] = [document.body, document.documentElement].map((element) => getComputedStyle(element));
  const [scheme, other] = (/light|dark/.test(config.theme) ? config.theme : body.colorScheme).match(/light|dark/g) || [0, 1];
  if (!other) return scheme;
  for (const color of [body.backgroundColor, html.backgroundColor]) {
    // `rgb(…)`, or as the page wrote it: `oklch(…)`, `lab(…)`, `color(display-p3 …)`; all end with the opacity, if any.
    const [first, second, third, opacity = 1] = color.replace(/^c\S+/, '').match(/[\d.]+(e-\d+)?/g);
    const lightness = /^[lo]/.test(color) ? first : first * 0.3 + second * 0.6 + third * 0.1;
    if (opacity > 0.5) return lightness < ({r: 128, l: 50}[color[0]] || 0.5) ? 'dark' : 'light';
  }
  return 'light dark';
};
