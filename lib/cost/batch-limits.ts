/** Numbers of a batch that its construct, the model of cost and the commands share. */

/** Memory, in MB, of the batch's function: one processor, because it parses the files of the map run, and keeps an index of results. */
export const BATCH_FUNCTION_MB = 1769;

/** `/tmp`, in MB, of this function. */
export const BATCH_FUNCTION_TMP_MB = 4096;

/** A row with a result and without an output. Names of items decide: rows of short ones have 220 bytes. */
const TABLE_ROW_BYTES = 350;

/** `/tmp` of the function that writes the table holds each row once. */
export const MAX_TABLE_ITEMS = Math.floor((BATCH_FUNCTION_TMP_MB * 2 ** 20) / TABLE_ROW_BYTES);

/**
 * The first children of a batch start no faster, because Lambda starts at most 1,000 sandboxes of a function in ten seconds:
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
 */
export const RAMP_CHILDREN_PER_SECOND = 100;

/** Beyond it, the failures of all items would not fit the 256 KiB of a state. */
export const MAX_ITEMS_PER_RUN = 500;

/** No pack of a child starts later, unless it is an item alone. The last one has the rest of the child's time. */
export const SECONDS_OF_PACKS = 180;

/** After a failed call, an item alone has no more while others wait: one that hangs would take all the time, in each rerun. */
export const SECONDS_OF_ITEM_ALONE = 40;

/** No call of a child runs longer, so that the child reports its items before its execution ends. */
export const SECONDS_OF_CALLS = 275;

/** No pack of several items runs longer, so that a child has time to find the item that takes all of it. */
export const SECONDS_OF_SEVERAL_ITEMS = 150;

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

/** A pack computes for about so long: what a child costs besides is then a few percent, and a batch of some thousand items still has many packs. */
export const PACK_SECONDS = 20;

/** The most bytes of all items of a pack that a slice reads or writes. Functions with little memory hold fewer. */
export const PACK_BYTES = 16 * 2 ** 20;

/** Of the items of a child: an event holds 256 KiB. With a preprocess function, it also has the requests. */
export const MAX_INPUT_BYTES = 224 * 1024;
export const PREPROCESSED_INPUT_BYTES = 96 * 1024;
