import { tick } from 'svelte';
import type { Attachment } from 'svelte/attachments';

import type { Problem } from '../generated/types';
import { asProblem, Refused } from './bridge';
import { focusRefused, regainFocus } from './components/focus';
import { toasts } from './state/toasts.svelte';

/** Message of a form whose content is saved. */
export type Saved = {
  said: string;
  /** Takes the change back. */
  undo?: () => Promise<unknown>;
};

/** Sends the content of a form. There is nothing to say where a person stopped it. */
export type Send = () => Promise<Saved | null> | Promise<void>;

/** A form that sends its content to the Rust side: what is refused, whether it is on the way, and undo. */
export class Form {
  /** Why the content was refused. */
  problem = $state.raw<Problem | null>(null);
  /** Whether an answer is awaited. */
  saving = $state(false);
  #hasField = $state(false);
  #element: HTMLElement | null = null;
  readonly #send: Send;

  /** `send` sends the content. An error that it throws becomes the problem of the form. */
  constructor(send: Send) {
    this.#send = send;
  }

  /** Marks the element that holds the fields. */
  readonly attach: Attachment<HTMLElement> = (element) => {
    this.#element = element;
    return () => (this.#element = null);
  };

  /** The message of a field that was refused. */
  readonly errorOf = (field: string): string | null =>
    this.problem?.field === field ? this.problem.message : null;

  /** The problem that no field of the form shows. */
  get general(): Problem | null {
    return this.#hasField ? null : this.problem;
  }

  /** Sends the content. Returns whether it was taken; the first field that was refused gets the focus. */
  readonly submit = async (event?: Event): Promise<boolean> => {
    event?.preventDefault();
    if (this.saving) return false;
    const focused = document.activeElement;
    this.saving = true;
    this.reset();
    const element = this.#element;
    try {
      const saved = await this.#send();
      if (saved) toasts.say(saved.said, undoOf(saved));
      return true;
    } catch (thrown) {
      this.problem = asProblem(thrown);
      this.#hasField = hasField(element, this.problem.field);
      // Buttons are disabled until then, and lose the focus.
      this.saving = false;
      await tick();
      regainFocus(focused);
      focusRefused(element ?? undefined);
      return false;
    } finally {
      this.saving = false;
    }
  };

  /** Forgets what was refused. */
  reset(): void {
    this.problem = null;
    this.#hasField = false;
  }
}

/** A problem that is found before anything is sent. */
export function refusal(field: string, message: string): Refused {
  return new Refused({ code: 'invalid_setting', message, field });
}

function undoOf({ undo }: Saved) {
  if (!undo) return null;
  const run = () => {
    undo().catch((thrown: unknown) => toasts.warn(asProblem(thrown).message));
  };
  return { label: 'Undo', run };
}

/** Whether a field is there that shows the problem; `metadata.team` belongs to `metadata`. */
function hasField(element: HTMLElement | null, field: string | null): boolean {
  if (element === null || field === null) return false;
  const names = [...element.querySelectorAll<HTMLElement>('[data-field]')].map(
    ({ dataset }) => dataset['field'],
  );
  return names.includes(field) || names.includes(field.split('.')[0]);
}
