/** The messages of logs that `cost` reads. `docs/costs.md` has the pattern by which CloudWatch Logs finds them. */
import type { LoggedCall } from '../../lib/cost/bill';

/** By the `message` of a line of a slice function or of the whole model: the kind of its call. */
export const CALL_MESSAGES = {
  'slice ran': 'ran',
  'slice is warm': 'warm-up',
  'slice failed': 'failed',
  'warm-up failed': 'failed',
  'whole model ran': 'ran',
  'whole model is cold': 'warm-up',
  'whole model is loaded': 'warm-up',
  'another sandbox loads the whole model': 'warm-up',
  'whole model failed': 'failed',
} as const satisfies Readonly<Record<string, LoggedCall['kind']>>;

export type CallMessage = keyof typeof CALL_MESSAGES;

export function isCallMessage(message: unknown): message is CallMessage {
  return typeof message === 'string' && Object.hasOwn(CALL_MESSAGES, message);
}

/** Start of a report as text: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html */
export const REPORT_START = 'REPORT RequestId:';

/** Type of a report as JSON: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report */
export const REPORT_TYPE = 'platform.report';
