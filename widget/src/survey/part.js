import {BUTTONS_SHEET} from '../buttons/buttons.js';
import {createLocalized, loadTranslations, translate} from '../buttons/i18n.js';
import {config} from '../config.js';
import {mayCollect} from '../consentState.js';
import {createElement} from '../dom.js';
import {guard} from '../guard.js';
import {changeListeners} from '../onChange.js';
import {post} from '../outbox.js';
import {createStyleSheet} from '../styleSheet.js';
import {tab} from '../tabStorage.js';

const SURVEY_SHEET = createStyleSheet(
  'form{display:flex;flex-wrap:wrap;gap:8px;align-items:end;color:var(--grapevine-color,inherit);font:16px/1.4 system-ui}' +
    'label{flex:1 1 16em;display:grid;gap:4px}' +
    'input{box-sizing:border-box;width:100%;min-height:44px;padding:8px 12px;border:1px solid #888;' +
    'border-radius:var(--grapevine-radius,14px);background:var(--grapevine-background,transparent);color:inherit;font:inherit}' +
    'form>button{box-sizing:border-box;width:auto!important;min-width:44px;border:1px solid transparent;padding:0 16px;opacity:1!important;font:600 16px system-ui;color:#fff!important;' +
    'background:var(--grapevine-accent,#4f46e5);border-radius:var(--grapevine-radius,14px)!important}' +
    // Two rings, white and black: a single one may be invisible on the page's background.
    'input:focus-visible{outline:2px solid;outline-offset:2px}' +
    'form>button:focus-visible{outline:2px solid #fff;outline-offset:0;box-shadow:0 0 0 4px #000}' +
    'output:empty{display:block;height:0}' +
    'output{font:600 16px/44px system-ui;color:var(--grapevine-color,inherit)}',
);

/**
 * Entry of the survey part: asks "how did you hear about us?" in `<grapevine-survey>`, or in a field that it adds to
 * the page's forms. It appears only once consent allows sending the answer.
 * @param {HTMLElement} [host] `<grapevine-survey>`; without it, the forms that `data-survey` selects
 */
export const start = async (host) => {
  await loadTranslations();
  if (!host) return addFieldToForms();
  const draw = guard(() => mayCollect() && !host.shadowRoot && renderForm(host));
  changeListeners.add(draw);
  draw();
};

const renderForm = (host) => {
  const root = host.attachShadow({mode: 'open'});
  const form = createLocalized('form', {part: 'form'});
  const field = createElement('input', {part: 'field', required: true, maxLength: 500, autocomplete: 'off', dir: 'auto'});
  const contact = createElement('input', {part: 'field', maxLength: 254, autocomplete: 'email', inputMode: 'email', dir: 'auto'});
  const thanks = createLocalized('output', {part: 'status', tabIndex: -1});
  form.append(labelled(questionText(), field));
  if (host.hasAttribute('contact')) form.append(labelled(translate('contact', 'Email or phone (optional)'), contact));
  form.append(createElement('button', {part: 'button', textContent: translate('send', 'Send')}));
  form.onsubmit = guard((event) => {
    event.preventDefault();
    sendAnswer(field, contact);
    form.remove();
    thanks.textContent = translate('thanks', 'Thank you!');
    thanks.focus();
  });
  root.adoptedStyleSheets = [BUTTONS_SHEET, SURVEY_SHEET];
  root.append(form, thanks);
};

const questionText = () => translate('question', 'How did you hear about us?');

const labelled = (text, field) => {
  const label = createElement('label', {part: 'label'});
  label.append(text, field);
  return label;
};

/** Reports what the visitor wrote. A site may ask without a visit; then the report has no session. */
const sendAnswer = (field, contact) => {
  const text = field.value.trim().slice(0, 500);
  const more = {session: tab.session || undefined, contact: contact?.value.trim() || undefined};
  if (text && mayCollect()) return post('answers', {...more, text});
};

/** Forms that have the field already. */
const extendedForms = new WeakSet();

/** Adds a field to the forms that `data-survey` selects, now or later. It has no name: the page submits as before. */
const addFieldToForms = () => {
  const addMissing = guard(() => {
    for (const form of config.survey == 'off' || !mayCollect() ? [] : document.querySelectorAll(config.survey)) {
      if (extendedForms.has(form)) continue;
      extendedForms.add(form);
      // A copy of a form that has the field: from HTML that was written again, or from a router's snapshot.
      form.querySelector('[data-grapevine-field]')?.remove();
      const field = createElement('input', {type: 'text', maxLength: 500, autocomplete: 'off'});
      const label = createLocalized('label', {textContent: questionText() + ' '});
      label.dataset.grapevineField = '';
      label.style.display = 'block';
      label.append(field);
      const last = form.querySelector('[type=submit],button:not([type])');
      let before = last;
      while (before && before.parentElement != form) before = before.parentElement;
      form.insertBefore(label, before);
      form.addEventListener('submit', guard(() => sendAnswer(field)));
    }
  });
  addMissing();
  changeListeners.add(addMissing);
  document.addEventListener('DOMContentLoaded', addMissing);
};
