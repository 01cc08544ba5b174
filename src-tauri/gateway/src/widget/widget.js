/**
 * The widget: a button in a corner of any page, and a frame in which somebody is signed in.
 *
 *   <script defer data-external-auth-code="CODE" src="https://host/widget.js"></script>
 *
 * The code is optional. `window.Latchkey` has open(), close(), login(code) and logout(). It needs
 * nothing of the page but `script-src` and `frame-src` for the host that it comes from.
 */
(() => {
  'use strict';

  const CODE = 'data-external-auth-code';
  /** How long the frame may take to answer once it has been loaded. */
  const PATIENCE_MS = 5000;
  /** Where the frame takes all the room there is. */
  const SMALL = '(max-width: 480px), (max-height: 400px)';

  const tag = document.currentScript;
  if (!tag) {
    console.error('Latchkey: the widget needs a tag of its own, and cannot be imported.');
    return;
  }
  const gateway = new URL(tag.src).origin;
  const code = tag.getAttribute(CODE);

  if (window.Latchkey) {
    // A tag that stands there twice is one tag. Another code is another person.
    const tags = [...document.querySelectorAll(`script[${CODE}]`)];
    const isNew = tags.every((other) => other === tag || other.getAttribute(CODE) !== code);
    if (code && isNew) window.Latchkey.login(code).catch(report);
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

  /** What the frame is asked and has not answered, by number. */
  const calls = new Map();
  let lastCall = 0;
  let port = null;
  let title = '';
  /** What had the focus before the frame was opened. */
  let back = bubble;
  /** What is fulfilled once the frame listens; nothing, until it is wanted and where it does not. */
  let connection = null;

  function report(error) {
    console.error(`Latchkey: ${error.message}`);
  }

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

  /** Makes the button and the frame, once. Both show nothing until the frame has answered. */
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
    frame.src = `${gateway}/auth/widget/frame`;
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

  /** Shows the frame. Where it hides the page, nothing of that can be reached. */
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

  /** What follows once the frame is closed, also by what a browser has for that, such as going back. */
  function closed() {
    if (dialog.open) return;
    label();
    port?.postMessage({ say: 'closed' });
    if (hasNoFocus()) back.focus();
  }

  /** Says on the button that the frame has something to say. */
  function mark() {
    if (!dialog.open) dot.hidden = false;
    label();
  }

  function hear({ data }) {
    if (data.close) setOpen(false);
    const call = calls.get(data.call);
    if (data.asks) {
      // The host has asked for it, and nothing goes on without a click. A tag opens nothing by itself.
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

  /** A frame that was loaded anew knows of no call. */
  function drop() {
    for (const { reject } of calls.values())
      reject(problem('superseded', 'The frame was loaded anew.'));
    calls.clear();
  }

  /** There is no frame any more; the next call makes one. */
  function lose() {
    drop();
    if (dialog.open) dialog.close();
    connection = port = null;
  }

  function meet(resolve, reject) {
    frame.onload = () => {
      drop();
      const channel = new MessageChannel();
      const refused = setTimeout(() => {
        reject(
          problem(
            'not_embedded',
            `${gateway} shows no widget in pages of ${location.origin}. Its administrator has to allow that origin, or it cannot be reached.`,
          ),
        );
      }, PATIENCE_MS);
      channel.port1.onmessage = (event) => {
        if (event.data.ready === undefined) return hear(event);
        clearTimeout(refused);
        port = channel.port1;
        title = event.data.ready;
        frame.title = title;
        dialog.setAttribute('aria-label', title);
        bubble.hidden = false;
        label();
        resolve();
      };
      // Whoever is in the frame gets the channel, and by it the codes, only if it is the gateway.
      frame.contentWindow.postMessage({ latchkey: 'hello' }, gateway, [channel.port2]);
    };
    document.body.append(host);
  }

  function isParsed() {
    return new Promise((resolve) => {
      if (document.body) resolve();
      else document.addEventListener('DOMContentLoaded', resolve, { once: true });
    });
  }

  function connect() {
    // A page that puts another body in place has taken the frame away.
    if (port && !host.isConnected) lose();
    connection ??= isParsed()
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
    open: () => void connect().then(() => setOpen(true), report),
    close: () => setOpen(false),
    login: (code) => login(code, true),
    logout: () => call('logout'),
  });
  (code ? login(code, false) : connect()).catch(report);
})();
