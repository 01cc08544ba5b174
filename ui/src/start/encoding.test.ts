import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { createRawSnippet } from 'svelte';
import { beforeEach, describe, expect, it } from 'vitest';

import { answer, instanceLike, type Asked } from '../../tests/answers';
import type { SecretEncoding } from '../generated/types';
import { studio } from '../lib/state/studio.svelte';
import ReplaceDialog from '../settings/ReplaceDialog.svelte';
import ConnectForm from './ConnectForm.svelte';

const ENCODINGS: SecretEncoding[] = ['text', 'base64', 'hex'];
const SUBMIT = { connect: 'Connect', replace: 'Replace secret' };
let asked: Asked[] = [];

beforeEach(() => {
  cleanup();
  studio.instances = [instanceLike()];
  asked = answer({
    instance_add: ({ name, url }) => instanceLike({ name, url }),
    secret_replace: () => instanceLike(),
  });
});

/** Pastes a secret, says how it is written, and sends the form. */
async function paste(encoding: SecretEncoding, form: 'connect' | 'replace') {
  await userEvent.type(screen.getByLabelText('JWT secret'), 'c2VjcmV0');
  await userEvent.selectOptions(screen.getByLabelText('Encoding'), encoding);
  await userEvent.click(screen.getByRole('button', { name: SUBMIT[form] }));
}

describe('the encoding that is chosen for a pasted secret', () => {
  it.each(ENCODINGS)('is sent when an instance is connected: %s', async (encoding) => {
    render(ConnectForm, { back: createRawSnippet(() => ({ render: () => '<span></span>' })) });
    await userEvent.type(
      screen.getByRole('textbox', { name: 'Address' }),
      'https://chat.yourcompany.com',
    );
    await paste(encoding, 'connect');
    await waitFor(() =>
      expect(asked.find(({ name }) => name === 'instance_add')?.request).toMatchObject({
        secret: { kind: 'paste', secret: 'c2VjcmV0', encoding },
      }),
    );
  });

  it.each(ENCODINGS)('is sent when a secret is replaced: %s', async (encoding) => {
    render(ReplaceDialog, { instance: instanceLike(), onclose: () => undefined });
    await paste(encoding, 'replace');
    await waitFor(() =>
      expect(asked.find(({ name }) => name === 'secret_replace')?.request).toMatchObject({
        secret: { kind: 'paste', secret: 'c2VjcmV0', encoding },
      }),
    );
  });
});
