/** Limits of the logs that `calibrate` and `cost` read. They come from outside, so each limit is checked before memory is used. */

/** Largest file of logs. A call has about 600 bytes in a log, so this holds some 400,000 calls. */
export const MAX_LOG_BYTES = 256 * 2 ** 20;

/** Longest line that is looked at. Lines of slice functions have less than 2 KB; CloudWatch allows 1 MiB. */
export const MAX_LINE_CHARACTERS = 16 * 1024;

/** Calls and reports that are used; more would not make an estimate better. */
export const MAX_RECORDS = 200_000;

/** Longest call of Lambda, in milliseconds: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const MAX_CALL_MS = 900_000;

/** Most bytes of a slice's files, of `/tmp` and of tensors: 10 GiB. */
export const MAX_BYTES = 10 * 2 ** 30;

/** Memory sizes of Lambda, in MB. */
export const MAX_MEMORY_MB = 10_240;

/** Most slices of a pipeline. */
export const MAX_SLICE = 10_000;

/** Lambda exists since November 2014; a year 2100 is a broken clock. */
export const FIRST_START = Date.UTC(2014, 10, 1);
export const LAST_START = Date.UTC(2100, 0, 1);

/** Longest run, id of a request or ARN that is kept. */
export const MAX_NAME_CHARACTERS = 1024;

/** Most requests to S3 of one call: 10 GiB in ranges of a few MiB are some thousands. */
export const MAX_REQUESTS = 1_000_000;
