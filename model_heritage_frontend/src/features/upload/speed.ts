const WINDOW_MILLISECONDS = 8000
/** Before that the first answers, which come from buffers, would promise too much. */
const LEAST_MILLISECONDS = 1000

/** How fast bytes go by, over the last seconds. */
export class Speedometer {
  private samples: { at: number; bytes: number }[] = []

  /** @returns bytes per second; null while too little is known. */
  measure(bytes: number, at: number): number | null {
    this.samples = [
      ...this.samples.filter((sample) => at - sample.at <= WINDOW_MILLISECONDS),
      { at, bytes },
    ]
    const [first] = this.samples
    if (!first || at - first.at < LEAST_MILLISECONDS) return null
    return (1000 * (bytes - first.bytes)) / (at - first.at)
  }
}

/** Seconds until the rest is sent at this speed; null when that cannot be told. */
export const secondsLeft = (rest: number, speed: number | null): number | null =>
  speed === null || speed <= 0 ? null : rest / speed
