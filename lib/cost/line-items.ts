/** The items of a bill, so that each dollar of a run has a name. */

/** Items in the order in which a table shows them. */
export const LINE_ITEMS = [
  /** Calls of functions, and calls that only warm up. */
  'lambdaRequests',
  /** Functions that compute. */
  'lambdaCompute',
  /** Functions that start, load their slices, or are warmed up. */
  'lambdaLoad',
  /** Functions that receive, send, and wait for S3. */
  'lambdaTransfer',
  /** `/tmp` beyond what is free. */
  'ephemeralStorage',
  's3Puts',
  's3Gets',
  /** Bytes up and down, which S3 Express One Zone charges. */
  's3Bytes',
  /** Tensors until they expire. */
  'tensorStorage',
  'stepFunctions',
] as const;

export type LineItem = (typeof LINE_ITEMS)[number];

/** Dollars by item. */
export type LineItems = Readonly<Record<LineItem, number>>;

export const NO_ITEMS: LineItems = itemsBy(() => 0);

export function itemsBy(dollars: (item: LineItem) => number): LineItems {
  return Object.fromEntries(LINE_ITEMS.map((item) => [item, dollars(item)])) as Record<LineItem, number>;
}

export function sumOfItems(items: LineItems): number {
  return LINE_ITEMS.reduce((sum, item) => sum + items[item], 0);
}

export function addItems(all: readonly LineItems[]): LineItems {
  return itemsBy((item) => all.reduce((sum, items) => sum + items[item], 0));
}

/** What both cost on average, if the other one happens with a probability of `share`. */
export function mixItems(items: LineItems, other: LineItems, share: number): LineItems {
  return itemsBy((item) => items[item] * (1 - share) + other[item] * share);
}
