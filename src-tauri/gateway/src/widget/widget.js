/**
 * The widget: a button in a corner of any page, and a frame in which the visitor signs in.
 *
 *   <script defer data-external-auth-code="CODE" src="https://host/widget.js"></script>
 *
 * The code is optional. `window.Latchkey` has open(), close(), login(code, { open }), logout() and
 * gateway. The page needs `script-src` and `frame-src` for the host of the script, and nothing else.
 *
 * A page can have one widget, because there is one `window.Latchkey` and one corner for the button.
 */
(() => {
  'use strict';

  const CODE = 'data-external-auth-code';
  /** Timeout for the first message of a frame that has been loaded. */
  const PATIENCE_MS = 5000;
  /** Screens on which the frame fills the window. */
  const SMALL = '(max-width: 480px), (max-height: 400px)';

  function report(error) {
    console.error(`Latchkey: ${error.message}`);
  }

  /**
   * Finds the tags that this run of the script belongs to. A module has no `currentScript` and runs once
   * for all tags with its address. An element named `currentScript` hides the real one and must not choose
   * the gateway. In both cases a stack trace has the address of this script; `import.meta` would be a
   * syntax error in a script that is not a module.
   */
  function findTags() {
    if (document.currentScript instanceof HTMLScriptElement) return [document.currentScript];
    const { stack } = new Error();
    const scripts = [...document.querySelectorAll('script[src]')];
    return scripts.filter(({ src }) => stack.includes(`${src}:`));
  }

  const tags = findTags();
  if (!tags[0]?.src.startsWith('http')) {
    report(new Error('the widget works only as the src of a script tag, from its gateway.'));
    return;
  }
  /** Gateway of these tags. Their codes are sent only to its origin. */
  const gateway = new URL('.', tags[0].src);
  const codes = new Set(tags.map((tag) => tag.getAttribute(CODE)).filter(Boolean));

  if (window.Latchkey) {
    const present = window.Latchkey.gateway;
    if (present !== gateway.href) {
      const owner = present ? `the widget of ${present}` : 'another window.Latchkey';
      const message = `this page has ${owner}, so the tag of ${gateway.href} does nothing. A page can have one widget.`;
      report(new Error(message));
      return;
    }
    // A tag with the same code is a copy and is ignored. Another tag marks the button and opens nothing.
    const others = [...document.querySelectorAll(`script[${CODE}]`)].filter(
      (other) => !tags.includes(other) && other.src === tags[0].src,
    );
    for (const code of codes) {
      const isCopy = others.some((other) => other.getAttribute(CODE) === code);
      if (!isCopy) window.Latchkey.login(code, { open: false }).catch(report);
    }
    return;
  }

  const STYLE = `
    :host {
      all: initial !important;
      position: fixed !important;
      inset-block-end: 0 !important;
      inset-inline-end: 0 !important;
      z-index: 2147483647 !important;
      display: block !important;
      color-scheme: light dark !important;
      --accent: #0b6e63;
      --on-accent: #fff;
      --line: #e2e1dc;
      --surface: #fff;
      --alert: #c2410c;
    }
    @media (prefers-color-scheme: dark) {
      :host {
        --accent: #4cc3b2;
        --on-accent: #10110f;
        --line: #33332f;
        --surface: #222220;
        --alert: #fb923c;
      }
    }
    @media print {
      :host { display: none !important; }
    }
    [hidden] { display: none !important; }
    button {
      position: fixed;
      inset-block-end: max(20px, env(safe-area-inset-bottom));
      inset-inline-end: max(20px, env(safe-area-inset-right));
      display: grid;
      place-items: center;
      width: 56px;
      height: 56px;
      padding: 0;
      border: 1px solid transparent;
      border-radius: 50%;
      background: var(--accent);
      color: var(--on-accent);
      box-shadow: 0 4px 16px rgb(0 0 0 / 25%);
      cursor: pointer;
    }
    button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
    svg { fill: none; stroke: currentcolor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    button[aria-expanded='true'] .closed, button[aria-expanded='false'] .opened { display: none; }
    .dot {
      position: absolute;
      inset-block-start: 0;
      inset-inline-end: 0;
      width: 14px;
      height: 14px;
      border: 2px solid var(--surface);
      border-radius: 50%;
      background: var(--alert);
    }
    dialog {
      position: fixed;
      inset: auto;
      inset-block-end: 92px;
      inset-inline-end: 20px;
      box-sizing: border-box;
      width: 360px;
      max-width: none;
      height: min(340px, calc(100dvh - 112px));
      max-height: none;
      margin: 0;
      padding: 0;
      overflow: hidden;
      border: 1px solid var(--line);
      border-radius: 14px;
      background: var(--surface);
      box-shadow: 0 8px 40px rgb(0 0 0 / 25%);
    }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    @media ${SMALL} {
      dialog { inset: 0; width: 100%; height: 100%; border: 0; border-radius: 0; }
      button[aria-expanded='true'] { display: none; }
    }
    @media (prefers-reduced-motion: no-preference) {
      dialog { animation: rise 120ms ease-out; }
      @keyframes rise { from { opacity: 0; transform: translateY(8px); } }
    }
  `;
  const SPEECH =
    'M4 4h16a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-8l-5 4v-4H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z';
  const CROSS = 'M6 6l12 12M18 6L6 18';

  const host = document.createElement('latchkey-widget');
  const bubble = document.createElement('button');
  const dialog = document.createElement('dialog');
  const frame = document.createElement('iframe');
  const dot = document.createElement('span');
  const small = matchMedia(SMALL);

  /** Calls that the frame has not answered, by number. */
  const calls = new Map();
  let lastCall = 0;
  let port = null;
  /** Timer for the first message of a frame that has been loaded. */
  let timer = 0;
  let title = '';
  /** Element that had the focus before the frame was opened. */
  let back = bubble;
  /** Promise that is fulfilled when the frame listens. Null before the first call and after a failure. */
  let connection = null;

  function problem(code, message, reference) {
    return Object.assign(new Error(message), { code, reference });
  }

  function icon(path, name) {
    const make = (element) => document.createElementNS('http://www.w3.org/2000/svg', element);
    const [svg, line] = [make('svg'), make('path')];
    for (const [attribute, value] of [
      ['class', name],
      ['viewBox', '0 0 24 24'],
      ['width', '28'],
      ['height', '28'],
      ['aria-hidden', 'true'],
    ]) {
      svg.setAttribute(attribute, value);
    }
    line.setAttribute('d', path);
    svg.append(line);
    return svg;
  }

  /** Makes the button and the frame, once. Both stay hidden until the frame has sent its first message. */
  function build() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    const root = host.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    bubble.type = 'button';
    bubble.hidden = true;
    dot.className = 'dot';
    dot.hidden = true;
    bubble.append(icon(SPEECH, 'closed'), icon(CROSS, 'opened'), dot);
    frame.referrerPolicy = 'no-referrer';
    frame.src = new URL('auth/widget/frame', gateway);
    dialog.append(frame);
    root.append(dialog, bubble);
    bubble.addEventListener('click', () => setOpen(!dialog.open));
    root.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') setOpen(false);
    });
    dialog.addEventListener('close', closed);
    small.addEventListener('change', () => {
      if (!dialog.open) return;
      dialog.close();
      show();
    });
  }

  function label() {
    bubble.setAttribute('aria-expanded', String(dialog.open));
    const verb = dialog.open ? 'Close' : 'Open';
    const news = dot.hidden ? '' : ', which has something to say';
    bubble.setAttribute('aria-label', `${verb} ${title}${news}`);
  }

  /** Shows the frame. On a small screen it is modal, so the keyboard cannot reach the page behind it. */
  function show() {
    if (small.matches) dialog.showModal();
    else dialog.show();
    frame.focus();
  }

  function hasNoFocus() {
    return [document.body, host, null].includes(document.activeElement);
  }

  function setOpen(isOpen) {
    if (isOpen === dialog.open) return;
    if (!isOpen) return dialog.close();
    back = hasNoFocus() ? bubble : document.activeElement;
    show();
    dot.hidden = true;
    label();
    port.postMessage({ say: 'opened' });
  }

  /** Handles the end of the dialog, also if the browser has closed it, as after a press of the back button. */
  function closed() {
    if (dialog.open) return;
    label();
    port?.postMessage({ say: 'closed' });
    if (hasNoFocus()) back.focus();
  }

  /** Marks the button, because the frame has a message. */
  function mark() {
    if (!dialog.open) dot.hidden = false;
    label();
  }

  function hear({ data }) {
    if (data.close) setOpen(false);
    const call = calls.get(data.call);
    if (data.asks) {
      // A call by the page opens the frame, which then waits for a click. A tag only marks the button.
      if (call?.opens) setOpen(true);
      else mark();
      return;
    }
    if (!call) return;
    calls.delete(data.call);
    if (data.problem) {
      mark();
      call.reject(problem(data.problem.code, data.problem.message, data.problem.reference));
    } else {
      call.resolve(data.user);
    }
  }

  /** Rejects all calls, because a frame that was loaded again does not know them. */
  function drop() {
    for (const { reject } of calls.values())
      reject(problem('superseded', 'The frame was loaded again.'));
    calls.clear();
  }

  /** Drops a frame that the page has removed. The next call makes a new one. */
  function lose() {
    drop();
    if (dialog.open) dialog.close();
    bubble.hidden = true;
    connection = port = null;
  }

  /** Puts the widget beside the body, so that it stays when the page replaces its body. */
  function attach() {
    document.documentElement.append(host);
    watch.observe(document, { childList: true });
    watch.observe(document.documentElement, { childList: true });
  }

  /**
   * Adds the widget again after the page has replaced its root element or all of its content. A page
   * that removes only the widget does so on purpose. The next call adds it again.
   */
  const watch = new MutationObserver((records) => {
    const removed = records.flatMap((record) => [...record.removedNodes]);
    const root = host.getRootNode();
    const isAlone = root === host && removed.length === 1;
    if (host.isConnected || isAlone || !removed.includes(root)) return;
    if (port) lose();
    if (connection) attach();
    else connect().catch(report);
  });

  /** Returns the likely reasons for a frame that does not answer, and what to do. */
  function explain() {
    const pages = [...new Set([self.origin, ...(location.ancestorOrigins ?? [])])];
    return `${gateway.origin} shows no widget in pages of ${pages.join(' in pages of ')}. Its administrator must allow each of these origins, this page's policy must allow the frame, and the gateway must be reachable.`;
  }

  function meet(resolve, reject) {
    frame.onload = () => {
      drop();
      clearTimeout(timer);
      const channel = new MessageChannel();
      timer = setTimeout(() => reject(problem('not_embedded', explain())), PATIENCE_MS);
      channel.port1.onmessage = (event) => {
        if (event.data.ready === undefined) return hear(event);
        clearTimeout(timer);
        port = channel.port1;
        title = event.data.ready;
        frame.title = title;
        dialog.setAttribute('aria-label', title);
        bubble.hidden = false;
        label();
        resolve();
      };
      // The browser delivers the channel, and so the codes, only if the frame's page is the gateway's.
      frame.contentWindow.postMessage({ latchkey: 'hello' }, gateway.origin, [channel.port2]);
    };
    attach();
  }

  /** Throws for a page in a sandbox. The page and its frames have no origin that a gateway could allow. */
  function checkOrigin() {
    if (self.origin !== 'null') return;
    throw problem(
      'not_embedded',
      'This page has no origin that a gateway could allow: it is in a sandboxed frame without allow-same-origin, or comes from no web server.',
    );
  }

  function isParsed() {
    return new Promise((resolve) => {
      if (document.body) resolve();
      else document.addEventListener('DOMContentLoaded', resolve, { once: true });
    });
  }

  function connect() {
    if (port && !host.isConnected) lose();
    connection ??= isParsed()
      .then(checkOrigin)
      .then(() => new Promise(meet))
      .catch((error) => {
        host.remove();
        connection = null;
        throw error;
      });
    return connection;
  }

  async function call(say, more = {}) {
    await connect();
    return new Promise((resolve, reject) => {
      lastCall += 1;
      calls.set(lastCall, { resolve, reject, opens: more.opens });
      port.postMessage({ say, call: lastCall, code: more.code });
    });
  }

  function login(code, opens) {
    if (typeof code !== 'string' || code === '') {
      return Promise.reject(problem('no_code', 'login() takes an external auth code.'));
    }
    return call('login', { code, opens });
  }

  build();
  window.Latchkey = Object.freeze({
    gateway: gateway.href,
    open: () => void connect().then(() => setOpen(true), report),
    close: () => setOpen(false),
    login: (code, { open = true } = {}) => login(code, open),
    logout: () => call('logout'),
  });
  const begun = codes.size ? [...codes].map((code) => login(code, false)) : [connect()];
  for (const promise of begun) promise.catch(report);
})();
