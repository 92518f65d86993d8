/** Says for which requests services are compared, in the terminal and in the page. */
import { figureText, percentText, quantity } from './figures';
import type { Requests } from './plan-report';

/** Such as `at 10 requests an hour (assumed), 36.8 % of them cold`. */
export function requestsText({ perHour, isAssumed, temperature, coldShare }: Requests): string {
  const rate = figureText(quantity('rate', perHour));
  const runs = {
    warm: 'all of them warm',
    cold: 'all of them cold',
    mixed: `${percentText(coldShare)} of them cold`,
  };
  const noun = perHour === 1 ? 'request' : 'requests';
  return `at ${rate} ${noun} an hour${isAssumed ? ' (assumed)' : ''}, ${runs[temperature]}`;
}
