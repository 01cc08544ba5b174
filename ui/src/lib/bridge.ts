/* The one file that talks to Tauri. Everything else of the UI asks through `call` and hears through `listen`. */

import { Channel, invoke } from '@tauri-apps/api/core';

import type { Commands, Problem, ProblemCode, StudioEvent } from '../generated/types';
import { escapeHidden } from './escape';

type Name = keyof Commands;

/** Commands that take nothing are called with their name alone. */
type Request<K extends Name> = Commands[K]['request'] extends null
  ? []
  : [request: Commands[K]['request']];

/** A `Problem` that can be thrown. */
export class Refused extends Error implements Problem {
  readonly code: ProblemCode;
  readonly field: string | null;

  constructor(problem: Problem) {
    super(problem.message);
    this.name = 'Refused';
    this.code = problem.code;
    this.field = problem.field;
  }
}

/** Called with each problem of a command for an instance, before the caller gets it. */
type OnProblem = (instanceId: string, problem: Problem) => void;
let onProblem: OnProblem = () => undefined;

/** Sets who hears of the problems of all commands for instances. */
export function hearProblems(hear: OnProblem): void {
  onProblem = hear;
}

/** Reports a problem of an instance that stands in the answer of a command that did not fail. */
export function reportProblem(instanceId: string, problem: Problem): void {
  onProblem(instanceId, problem);
}

/** Asks the Rust side. Rejects with `Refused` and with nothing else. */
export async function call<K extends Name>(
  name: K,
  ...[request]: Request<K>
): Promise<Commands[K]['response']> {
  try {
    return await invoke(name, { request: request ?? null });
  } catch (thrown) {
    const refused = new Refused(asProblem(thrown));
    if (request && 'instance' in request) onProblem(request.instance, refused);
    throw refused;
  }
}

/** Calls `hear` with each event of the Rust side, for as long as the page is there. */
export async function listen(hear: (event: StudioEvent) => void): Promise<void> {
  const channel = new Channel<StudioEvent>(hear);
  await call('listen', { channel: channel.toJSON() });
}

/**
 * Turns a thrown value into a problem for a person. The text of any other error is dropped, because it
 * may quote the request, which may hold a secret.
 */
export function asProblem(thrown: unknown): Problem {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown) {
    const { code, message } = thrown;
    const field = 'field' in thrown && typeof thrown.field === 'string' ? thrown.field : null;
    if (typeof code === 'string' && typeof message === 'string') {
      return { code: code as ProblemCode, message: escapeHidden(message), field };
    }
  }
  return {
    code: 'internal',
    message: 'Something went wrong inside Latchkey, and nothing was done. Start it again.',
    field: null,
  };
}
