import { screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';

import type { InspectRequest, Inspection } from '../src/generated/types';
import { inspectedFor } from '../src/inspect/inspected.svelte';
import { inspectionLike, instanceLike, refuse, type Asked } from './answers';

/** Input and queries that the tests of Inspect share. */

export const CODE = 'eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjp7ImlkIjoiYWRhIn19.Jm3mW0t2mXW1bQdP5xJ8l0T3';
export const LINK = `https://chat.yourcompany.com/?externalAuthCode=${CODE}`;
export const here = instanceLike({ hosted: 'here' });

/**
 * As the Rust side looks into what it is given, as far as these tests need it. `found` returns the
 * members in which the next inspection differs from the default.
 */
export function inspecting(
  found: () => Partial<Inspection>,
): (request: InspectRequest) => Inspection {
  let revision = 0;
  return ({ source }) => {
    if (source.kind === 'text' && !source.text.includes('.')) {
      refuse('no_code', 'This is not a code, a link or a widget tag.', 'code');
    }
    const [header = '', claims = '', signature = ''] =
      source.kind === 'text' ? source.text.replace(/^.*=/u, '').split('.') : CODE.split('.');
    return inspectionLike({ revision: (revision += 1), header, claims, signature, ...found() });
  };
}

/** The inspections that were requested. */
export function requestsOf(asked: Asked[]): InspectRequest[] {
  return asked.filter((one) => one.name === 'inspect').map((one) => one.request);
}

export function input(): HTMLTextAreaElement {
  return screen.getByRole('textbox', { name: 'Link, code, tag or text' });
}

export async function paste(text = LINK): Promise<void> {
  await userEvent.click(input());
  await userEvent.paste(text);
  await inspectedFor(here.id).settled();
  await screen.findByTestId('inspect-contents');
}
