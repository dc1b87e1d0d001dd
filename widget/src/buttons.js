import {watchers} from './changes.js';
import {brandOf, linkOf} from './channels.js';
import {data} from './config.js';
import {guard} from './guard.js';
import {icon} from './icon.js';
import {label} from './labels.js';
import {make} from './make.js';
import {report, share, urlFor} from './share.js';
import {sheetOf, STYLE} from './style.js';
import {pageUrl} from './url.js';
import {want} from './visit.js';

const DEFAULT = 'native copy whatsapp telegram email x facebook linkedin';

/** Registers `<grapevine-buttons>`; those that stand in the page already come alive in place. */
export function defineButtons() {
  const sheet = sheetOf(STYLE);
  customElements.define(
    'grapevine-buttons',
    class extends HTMLElement {
      connectedCallback() {
        this.refresh ||= guard(draw)(this, sheet);
        watchers.add(this.refresh);
      }
      disconnectedCallback() {
        watchers.delete(this.refresh);
      }
    },
  );
}

/** Builds the buttons of one element. Returns what brings their links up to date. */
function draw(host, sheet) {
  const root = host.attachShadow({mode: 'open'});
  const bar = make('div', {part: 'bar', role: 'group', ariaLabel: label('bar')});
  const notice = make('p', {part: 'status', role: 'status'});
  const channels = (host.getAttribute('channels') ?? data.buttons ?? DEFAULT).match(/\w+/g) || [];
  const refreshes = channels.map((channel) => {
    const name = label(channel);
    const href = () => linkOf(channel, urlFor(channel));
    const button = make(href() ? 'a' : 'button', {part: 'button', title: name, ariaLabel: name});
    const refresh = () => href() && Object.assign(button, {href: href(), target: '_blank', rel: 'noopener'});
    const act = guard(async (event) => {
      if (event.button > 1) return;
      if (refresh()) return report(channel, pageUrl());
      if (!(await share(channel)) || channel == 'native') return;
      notice.style.marginTop = button.offsetTop + 'px';
      notice.textContent = '✓ ' + label('copied') + (channel == 'copy' ? '' : ' → ' + name);
      setTimeout(() => (notice.textContent = ''), 2500);
    });
    button.onclick = button.onauxclick = act;
    button.style.setProperty('--brand', brandOf(channel));
    button.append(icon(channel));
    if (channel != 'native' || navigator.share) bar.append(button);
    return refresh;
  });
  const refreshAll = () => refreshes.forEach((refresh) => refresh());
  root.adoptedStyleSheets = [sheet];
  root.append(bar, notice);
  if (/light|dark/.test(data.theme)) host.style.colorScheme = data.theme;
  refreshAll();
  want(channels);
  return refreshAll;
}
