/** The items of a bill, so that each dollar of a run has a name. */

/** What a table calls the items, in its order. */
export const ITEM_NAMES = {
  lambdaRequests: 'Lambda requests',
  lambdaCompute: 'Lambda: computing',
  lambdaLoad: 'Lambda: starting and loading',
  /** Functions that receive, send, and wait for S3. */
  lambdaTransfer: 'Lambda: reading and writing tensors',
  ephemeralStorage: 'Lambda: /tmp above the free size',
  s3Puts: 'S3 PUT requests',
  s3Gets: 'S3 GET requests',
  /** Bytes up and down, which S3 Express One Zone charges. */
  s3Bytes: 'S3 bytes moved',
  /** Tensors until they expire. */
  tensorStorage: 'S3 storage of tensors',
  stepFunctions: 'Step Functions',
} as const;

export type LineItem = keyof typeof ITEM_NAMES;

export const LINE_ITEMS = Object.keys(ITEM_NAMES) as readonly LineItem[];

/** Dollars by item. */
export type LineItems = Readonly<Record<LineItem, number>>;

export const NO_ITEMS: LineItems = itemsBy(() => 0);

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

function itemsBy(dollars: (item: LineItem) => number): LineItems {
  return Object.fromEntries(LINE_ITEMS.map((item) => [item, dollars(item)])) as Record<LineItem, number>;
}
