import { invoke } from '@tauri-apps/api/core';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { asProblem, call, Refused } from './bridge';

vi.mock('@tauri-apps/api/core', () => ({ invoke: vi.fn() }));

beforeEach(() => {
  vi.mocked(invoke).mockReset();
});

describe('a call', () => {
  it('sends one argument', async () => {
    await call('instance_select', { instance: 'sample' });
    expect(invoke).toHaveBeenCalledWith('instance_select', { request: { instance: 'sample' } });
  });

  it('sends null where the command takes nothing', async () => {
    await call('start');
    expect(invoke).toHaveBeenCalledWith('start', { request: null });
  });

  it('rejects with the problem that the command rejected with', async () => {
    const problem = { code: 'invalid_payload', message: 'No @.', field: 'email' };
    vi.mocked(invoke).mockRejectedValue(problem);
    const thrown: unknown = await call('start').catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(Refused);
    expect(asProblem(thrown)).toEqual(problem);
  });

  it.each([
    'invalid args `request` for command `secret_replace`: "my secret"',
    new Error('my secret'),
    { code: 7, message: 'my secret' },
    null,
    undefined,
  ])('says nothing of what else is thrown: %s', async (raw) => {
    vi.mocked(invoke).mockRejectedValue(raw);
    const problem = asProblem(await call('start').catch((error: unknown) => error));
    expect(problem.code).toBe('internal');
    expect(problem.message).not.toContain('my secret');
    expect(problem.field).toBeNull();
  });
});
