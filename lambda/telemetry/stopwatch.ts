/** Measures wall-clock milliseconds between laps, rounded to a tenth. */
export class Stopwatch {
  private since = performance.now();

  lap(): number {
    const now = performance.now();
    const elapsed = now - this.since;
    this.since = now;
    return roundedTenth(elapsed);
  }
}

export function roundedTenth(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
