import type { CloseAsked } from '../../generated/types';
import { call } from '../bridge';

/** The question whether to close the window, which stops the gateway. */
class Closing {
  /** Consequences of closing the window; null while it is not asked. */
  asked = $state.raw<CloseAsked | null>(null);

  /** Asks before the window closes. It closes at once if no gateway is open. */
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
