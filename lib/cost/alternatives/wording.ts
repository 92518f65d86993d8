/** Writes the figures of sentences. */

export function inMs(ms: number): string {
  return ms < 10_000 ? `${grouped(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function inDollars(dollars: number): string {
  if (dollars > 0 && dollars < 0.1)
    return `$${dollars.toLocaleString('en-US', { maximumSignificantDigits: 2 })}`;
  return `$${dollars < 10 ? dollars.toFixed(2) : grouped(dollars)}`;
}

export function inMb(megabytes: number): string {
  return `${grouped(megabytes)} MB`;
}

export function memoryBreaks(neededMb: number, subject: string, mostMb: number): string[] {
  if (neededMb <= mostMb) return [];
  return [`the model needs ${inMb(neededMb)}, and ${subject} has at most ${inMb(mostMb)}`];
}

/** With no more digits than such a rate deserves. */
export function inRate(perHour: number): string {
  const count = perHour < 10 ? String(Number(perHour.toPrecision(2))) : grouped(perHour);
  return `${count} ${perHour === 1 ? 'request' : 'requests'} an hour`;
}

export function inPercent(share: number): string {
  const percent = 100 * share;
  if (percent === 0 || percent >= 1) return `${Math.round(percent)} %`;
  return percent < 0.1 ? 'less than 0.1 %' : `${percent.toFixed(1)} %`;
}

export function grouped(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}
