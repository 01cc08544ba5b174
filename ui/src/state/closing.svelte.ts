import { call } from '../bridge';
import type { CloseAsked } from '../generated/types';

/** The question whether the window may close, which ends the gateway. */
class Closing {
  /** Consequences of closing the window; null while nobody wants to close it. */
  asked = $state.raw<CloseAsked | null>(null);

  /** Waits for the window to be asked to close, for as long as the page is there. */
  async listen(): Promise<void> {
    for (;;) {
      const asked = await call('close_asked');
      if (asked) this.asked = asked;
      else await this.close();
    }
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
