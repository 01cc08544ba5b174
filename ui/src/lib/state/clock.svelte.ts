/** How often times in words are written anew, in milliseconds. */
const EVERY = 30_000;

/** The time, for words such as `2 min ago` that are written anew as it passes. */
class Clock {
  #ticks = $state(0);

  constructor() {
    setInterval(() => (this.#ticks += 1), EVERY);
  }

  /** The time now. A template that calls this is rendered again at each tick. */
  now(): Date {
    return new Date(Math.max(Date.now(), this.#ticks));
  }
}

export const clock = new Clock();
