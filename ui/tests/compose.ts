import { screen } from '@testing-library/svelte';

import type { ComposeRequest } from '../src/generated/types';
import type { Asked } from './answers';

/** Queries that the tests of Compose share. */

/** The field for an existing person. */
export const person = (): HTMLElement => screen.getByLabelText(/^Person/u);

/** The links that were requested. */
export function requestsOf(asked: Asked[]): ComposeRequest[] {
  return asked.filter((one) => one.name === 'compose').map((one) => one.request);
}
