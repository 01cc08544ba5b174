/** Interval at which relative times are rendered again, in milliseconds. */
const EVERY = 30_000;

/** The current time for relative times such as `2 min ago`. */
class Clock {
  #ticks = $state(0);

  constructor() {
    setInterval(() => (this.#ticks += 1), EVERY);
  }

  /** Returns the current time. A template that calls this is rendered again at each tick. */
  now(): Date {
    return new Date(Math.max(Date.now(), this.#ticks));
  }
}

export const clock = new Clock();
