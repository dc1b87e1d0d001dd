// Runs first on each odd page: keeps hold of what the page may break, plays a reader, and notes what the page saw.
(() => {
  const {apply} = Reflect, {keys} = Object, {isArray} = Array, {stringify} = JSON;
  const later = setTimeout, Wait = Promise;
  const {addEventListener} = EventTarget.prototype;
  const {getBoundingClientRect} = Element.prototype, find = document.querySelector, all = document.querySelectorAll;
  const shadow = Object.getOwnPropertyDescriptor(Element.prototype, 'shadowRoot').get;
  const back = history.back, lengthOf = history.length;
  const send = window.postMessage, outer = parent == window ? null : parent;
  const on = (target, name, run) => apply(addEventListener, target, [name, run, true]);
  const one = (css) => apply(find, document, [css]);
  const pause = (ms) => new Wait((done) => apply(later, window, [done, ms]));
  const within = (promise, ms) => { const late = pause(ms); return new Wait((done, fail) => { promise.then(done, fail); late.then(() => done('never')); }); };
  const add = (list, entry) => { list[list.length] = entry; };
  const ours = (element) => /^(grapevine|reader)-/.test(element.localName) || element.hasAttribute('data-site') || element.hasAttribute('data-probe')
    || /^How did you hear/.test(element.closest('label')?.textContent);
  // Neither a broken JSON nor a `toJSON` on a prototype reaches this: only single texts and numbers are left to `stringify`.
  const show = (value) => {
    if (value === undefined || value === null) return 'null';
    if (typeof value == 'function') return '"function"';
    if (typeof value != 'object') return stringify(value);
    const parts = [];
    if (isArray(value)) for (let i = 0; i < value.length; i++) add(parts, show(value[i]));
    else for (const key of keys(value)) add(parts, stringify(key) + ':' + show(value[key]));
    let text = '';
    for (let i = 0; i < parts.length; i++) text += (i ? ',' : '') + parts[i];
    return isArray(value) ? '[' + text + ']' : '{' + text + '}';
  };

  // A port may have served another test's site.
  try { sessionStorage.clear(); localStorage.clear(); } catch { /* a sandbox has neither */ }

  const errors = [], events = [], notes = {}, record = {errors, events, notes};
  const probe = {state: '', ready: false, framed: null, hold: null, patience: 8000};
  Object.defineProperty(window, 'probe', {value: probe});
  probe.note = (name, value) => { notes[name] = value; };
  probe.count = (name) => { notes[name] = (notes[name] || 0) + 1; };
  on(window, 'error', (event) => { if (event.target == window) add(errors, 'error ' + event.message); });
  on(window, 'unhandledrejection', (event) => { add(errors, 'rejection ' + event.reason); });
  on(document, 'securitypolicyviolation', (event) => { add(errors, 'policy ' + event.violatedDirective + ' ' + event.blockedURI); });
  on(document, 'grapevine:ready', () => { probe.ready = true; if (outer) apply(send, outer, ['ready', '*']); });
  for (const name of ['DOMContentLoaded', 'submit', 'reset', 'copy', 'cut', 'paste', 'hashchange', 'popstate', 'beforeprint', 'afterprint', 'input', 'beforeunload'])
    on(window, name, (event) => { add(events, name + (name == 'popstate' ? ' ' + show(event.state) : '')); });
  on(window, 'load', (event) => { if (event.target == document) add(events, 'load'); });

  const order = async () => {
    const seen = [];
    await pause(0);
    try {
      setTimeout(() => { add(seen, 'timeout'); }, 0);
      Promise.resolve().then(() => { add(seen, 'then'); });
      queueMicrotask(() => { add(seen, 'microtask'); });
    } catch (error) { add(seen, String(error)); }
    add(seen, 'after');
    await pause(20);
    return seen;
  };
  const ask = async () => {
    try {
      const answer = await within(Wait.resolve(fetch('/data.json')), probe.patience);
      return answer?.text ? [answer.status, await answer.text()] : show(answer);
    } catch (error) { return String(error); }
  };
  const go = () => {
    try { history.pushState({step: 2}, '', '?two'); } catch (error) { return String(error).slice(0, 40); }
    document.title = 'Second';
    return [location.search, history.length - lengthOf, history.state];
  };
  const shape = () => {
    const boxes = [];
    if (!document.body) return 'none';
    const found = apply(all, document, ['body *']);
    for (let i = 0; i < found.length && boxes.length < 60; i++) {
      const element = found[i], box = apply(getBoundingClientRect, element, []);
      if (ours(element) || /script|style/i.test(element.localName)) continue;
      add(boxes, [element.localName, element.id || '', box.x, box.y, box.width, box.height]);
    }
    return boxes;
  };
  const children = (parent) => {
    const names = [];
    for (let child = parent && parent.firstElementChild; child; child = child.nextElementSibling) if (!ours(child)) add(names, child.localName);
    return names;
  };
  const loop = (thing) => { const names = []; for (const name in thing) add(names, name); return names; };
  const stored = (name) => {
    try {
      const names = [];
      for (let i = 0; i < window[name].length; i++) if (!/^grapevine:/.test(window[name].key(i))) add(names, window[name].key(i));
      return names;
    } catch (error) { return error.name; }
  };
  probe.bar = () => {
    const bar = one('grapevine-buttons'), root = bar && apply(shadow, bar, []);
    return !!root && !!root.querySelector('[part=button]');
  };

  // What the page does by itself: the order of its tasks, a request, a route, a submit, a selection.
  probe.act = async () => {
    if (probe.hold) await within(probe.hold, 3000);
    record.order = await order();
    record.fetch = await ask();
    record.route = go();
    const form = one('#form');
    if (form && form.requestSubmit) form.requestSubmit();
    probe.state = 'acted';
  };
  probe.pick = () => {
    const from = one('#copy');
    if (!from) return false;
    const range = document.createRange(), selection = getSelection();
    range.selectNodeContents(from);
    selection.removeAllRanges();
    selection.addRange(range);
    record.selected = String(selection);
    on(window, 'copy', () => { apply(later, window, [() => { one('#paste').focus(); probe.state = 'copied'; }, 0]); });
    on(window, 'paste', (event) => {
      const found = {}, {types} = event.clipboardData;
      for (let i = 0; i < types.length; i++) found[types[i]] = event.clipboardData.getData(types[i]);
      record.clipboard = found;
      event.preventDefault();
      event.stopImmediatePropagation();
      probe.state = 'pasted';
    });
    return true;
  };
  probe.end = async () => {
    if (record.route[1] == 1) {
      const came = new Wait((done) => on(window, 'popstate', done));
      apply(back, history, []);
      await within(came, 5000);
    }
    await pause(20);
    record.address = location.href;
    record.title = document.title;
    record.shape = shape();
    record.body = children(document.body);
    record.head = children(document.head);
    record.root = children(document.documentElement);
    record.sheets = [(document.adoptedStyleSheets || []).length, document.styleSheets.length];
    record.scroll = [scrollX, scrollY, document.documentElement.scrollWidth, document.documentElement.scrollHeight];
    record.focus = document.activeElement && document.activeElement.id;
    record.loops = [loop([]), loop({}), loop(() => {}), loop('')];
    record.globals = [];
    // Frames have numbers, and Playwright adds a name of its own (`__pw…`) in Firefox, sooner or later.
    for (const name of keys(window)) if (name != 'grapevine' && !/^(\d+$|__pw)/.test(name)) add(record.globals, name);
    record.owns = [keys(document), keys(history), keys(navigator), keys(document.documentElement), loop(document.documentElement.dataset || {})];
    record.cookie = (() => { try { return document.cookie; } catch (error) { return error.name; } })();
    record.stored = [stored('sessionStorage'), stored('localStorage')];
    record.framed = probe.framed;
    record.links = [];
    const links = document.links || [];
    for (let i = 0; i < links.length; i++) add(record.links, links[i].getAttribute('href'));
    record.mode = document.compatMode;
    probe.state = 'over';
  };
  probe.text = () => show(record);

  if (outer) {
    on(window, 'message', async ({data}) => {
      if (data == 'act') { await probe.act(); apply(send, outer, ['acted', '*']); }
      if (data == 'end') { await probe.end(); apply(send, outer, [show(record), '*']); }
    });
  }
  // Frames are asked by the page around them, which then does nothing of its own.
  probe.frame = (what) => {
    on(window, 'message', ({data}) => {
      if (data == 'ready') probe.ready = true;
      if (data == 'acted') probe.state = 'acted';
      if (data[0] == '{') { probe.framed = data; apply(later, window, [probe.last, 0]); }
    });
    probe.last = probe.end;
    probe.act = () => { record.route = []; apply(send, frames[0], ['act', '*']); };
    probe.end = () => apply(send, frames[0], ['end', '*']);
  };
})();
