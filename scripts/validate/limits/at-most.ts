/** The one comparison of all limits. */
import type { Finding } from '../check';

export function atMost(place: string, what: string, used: number, limit: number): Finding[] {
  return used <= limit ? [] : [{ place, message: `${what} must be at most ${limit}, got ${used}` }];
}
