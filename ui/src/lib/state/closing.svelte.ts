import type { CloseAsked } from '../../generated/types';
import { call } from '../bridge';

/** The question whether the window may close, which ends the gateway. */
class Closing {
  /** Consequences of closing the window; null while nobody wants to close it. */
  asked = $state.raw<CloseAsked | null>(null);

  /** Somebody wants to close the window. It closes at once where the gateway has ended by then. */
  async ask(): Promise<void> {
    const asked = await call('close_asked');
    if (asked) this.asked = asked;
    else await this.close();
  }

  keepOpen(): void {
    this.asked = null;
  }

  /** Stops the gateway and closes the window. */
  async close(): Promise<void> {
    await call('close');
  }
}

export const closing = new Closing();
