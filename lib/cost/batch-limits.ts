/** Numbers of a batch that its construct, the model of cost and the commands share. */

/** Memory, in MB, of the function that prepares and ends each child, and writes the table. */
export const BATCH_FUNCTION_MB = 1024;

/** Milliseconds of this function in a child, before and after the items. It mostly waits for S3. */
export const BATCH_FUNCTION_MS = 60;

/** `/tmp`, in MB, of this function. */
export const BATCH_FUNCTION_TMP_MB = 4096;

/** A row with a result and without an output. Names of items decide: rows of short ones have 220 bytes. */
const TABLE_ROW_BYTES = 350;

/** The function writes the rows as they arrive and then the table, so its `/tmp` holds each row twice. */
export const MAX_TABLE_ITEMS = Math.floor((BATCH_FUNCTION_TMP_MB * 2 ** 20) / (2 * TABLE_ROW_BYTES));

/**
 * The first children of a batch start no faster, because Lambda starts at most 1,000 sandboxes of a function in ten seconds:
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
 */
export const RAMP_CHILDREN_PER_SECOND = 100;

/** Beyond it, the names of items and results would not fit the 256 KiB of a state. */
export const MAX_ITEMS_PER_RUN = 40;

// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html, read 2026-11; the number of items as others quote that page
export const MAX_MAP_ITEMS = 100_000_000;
export const MAX_CHILDREN = 10_000;
export const CHILD_STARTS_PER_SECOND = 1_000;
export const MAX_EXPRESS_SECONDS = 300;

// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html, read 2026-11: a new account may have 10
export const CONCURRENT_CALLS = 1_000;

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, read 2026-11
export const MAX_FUNCTION_SECONDS = 900;

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html, read 2026-11: for each prefix
export const PUTS_PER_SECOND = 3_500;
export const GETS_PER_SECOND = 5_500;
