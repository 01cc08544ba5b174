/**
 * Script of the widget's frame. It signs the visitor in and out and shows the result. It accepts messages
 * only from the page around the frame, and only if the instance allows the origin of that page.
 */
(() => {
  'use strict';

  const allowed = document.documentElement.dataset.embedIn.split(' ');
  const content = document.getElementById('content');
  const sections = [...document.querySelectorAll('section')];

  /** Channel to the page around the frame, after its first message. */
  let port = null;
  /** Code that waits for a click, and the call that it belongs to. */
  let question = null;
  /** Queue of requests. They run one after another, so that the shown state agrees with the cookie. */
  let queue = Promise.resolve();

  function inTurn(work) {
    queue = queue.then(work);
    return queue;
  }

  function tell(message) {
    port?.postMessage(message);
  }

  function problem(code, message, reference) {
    return { code, message, reference };
  }

  /** Shows a state, with texts in its slots. Hides a paragraph with an empty slot. */
  function show(state, texts = {}) {
    for (const section of sections) {
      section.hidden = section.id !== state;
    }
    for (const slot of document.querySelectorAll(`#${state} [data-slot]`)) {
      const text = texts[slot.dataset.slot] ?? '';
      slot.textContent = text;
      const paragraph = slot.closest('p');
      if (paragraph) paragraph.hidden = text === '';
    }
    content.setAttribute('aria-labelledby', `${state}-title`);
    // The element that had the focus may now be hidden.
    if (document.hasFocus()) content.focus();
  }

  function shown() {
    return sections.find((section) => !section.hidden).id;
  }

  /** Sends a request to the gateway. Throws a problem unless the response is good. */
  async function ask(path, form) {
    const failure = problem(
      'unavailable',
      'Signing in does not work at the moment. Try again later.',
    );
    let answer;
    let said;
    try {
      answer = await fetch(path, {
        method: form ? 'POST' : 'GET',
        headers: { accept: 'application/json' },
        body: form && new URLSearchParams(form),
      });
      said = await answer.json();
    } catch {
      throw failure;
    }
    if (answer.ok) return said;
    if (typeof said.detail !== 'string') throw failure;
    const codes = { 403: 'refused', 410: 'refused', 429: 'too_many' };
    throw problem(codes[answer.status] ?? 'unavailable', said.detail, said.reference);
  }

  /** Does the work of a call, shows the result and answers the call. Returns whether a click is missing. */
  async function settle(call, work) {
    try {
      const said = await work();
      if (said.outcome === 'no_cookies') {
        show('no_cookies');
        const message = document.getElementById('no_cookies-message').textContent;
        tell({ call, problem: problem('no_cookies', message) });
      } else if (said.outcome === 'needs_confirmation') {
        show('asks', said);
        tell({ call, asks: true });
        return true;
      } else {
        show(said.outcome, said);
        const user = said.outcome === 'signed_in' ? { id: said.id, name: said.name } : null;
        tell({ call, user });
      }
    } catch (refused) {
      show('refused', refused);
      tell({ call, problem: refused });
    }
    return false;
  }

  /** Rejects the call whose code waits for a click. */
  function drop(code, message) {
    if (question) tell({ call: question.call, problem: problem(code, message) });
    question = null;
  }

  function login(call, code) {
    return inTurn(async () => {
      drop('superseded', 'Another code was opened.');
      show('busy');
      if (await settle(call, () => ask('open', { code }))) question = { call, code };
    });
  }

  function logout(call) {
    return inTurn(async () => {
      drop('superseded', 'The visitor has signed out.');
      await settle(call, () => ask('sign-out', {}));
    });
  }

  /** Shows who is signed in, because the session may have ended. */
  function refresh() {
    return inTurn(() => settle(null, () => ask('session')));
  }

  function close() {
    tell({ close: true });
  }

  document.getElementById('continue').addEventListener('click', () => {
    if (!question) return;
    const { call, code } = question;
    question = null;
    inTurn(() => settle(call, () => ask('continue', { code })));
  });
  document.getElementById('decline').addEventListener('click', () => {
    drop('declined', 'The visitor chose not to continue.');
    refresh();
    close();
  });
  document.getElementById('sign-out').addEventListener('click', () => logout(null));
  document.getElementById('close').addEventListener('click', close);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });

  function hear({ data }) {
    if (data.say === 'login') login(data.call, data.code);
    if (data.say === 'logout') logout(data.call);
    if (data.say === 'opened') {
      content.focus();
      if (['signed_in', 'signed_out'].includes(shown())) refresh();
    }
    // A refusal is shown only until the frame is closed. It has not changed who is signed in.
    if (data.say === 'closed' && shown() === 'refused') refresh();
  }

  // Only the first message comes by the window. It brings the channel for all others.
  window.addEventListener('message', (event) => {
    const isAround = event.source === window.parent && window.parent !== window;
    const isHello = event.data?.latchkey === 'hello' && event.ports.length === 1;
    if (!isAround || !allowed.includes(event.origin) || !isHello) return;
    [port] = event.ports;
    port.onmessage = hear;
    tell({ ready: document.title });
  });

  refresh();
})();
