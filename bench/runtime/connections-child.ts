/** Calls slice functions whose connections were lost since the last call, and reports the times to its parent process. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectReference } from '../../contract/execution';
import type { SliceAnswer, SliceEvent } from '../../contract/slice-event';
import { makeHandler, type SliceHandler } from '../../lambda/handler';
import type { ByteRange, ObjectStore } from '../../lambda/store/object-store';
import { functionObjects } from '../../lambda/store/s3-client';

export interface ConnectionsJob {
  /** By bucket: each has a host of its own, as on AWS. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** The environment variables of both slices. */
  readonly slices: readonly Readonly<Record<string, string>>[];
  readonly calls: readonly BenchCall[];
  readonly rounds: number;
  readonly folder: string;
}

export interface BenchCall {
  readonly name: string;
  /** The slice that is measured. The ones before it run too. */
  readonly slice: number;
  /** Without `run`. */
  readonly event: object;
}

/** Milliseconds of the calls without ONNX Runtime's run, by call and by whether connections are prepared. */
export type ConnectionTimes = Readonly<Record<string, Readonly<Record<Variant, number[]>>>>;

export const VARIANTS = ['as needed', 'prepared'] as const;
export type Variant = (typeof VARIANTS)[number];

/** The runs' buckets have hosts of their own, but a client has one endpoint. */
class ObjectsByBucket implements ObjectStore {
  constructor(
    private readonly stores: ReadonlyMap<string, ObjectStore>,
    private readonly variant: Variant,
  ) {}

  get(object: ObjectReference, range: ByteRange, version?: string) {
    return this.of(object.bucket).get(object, range, version);
  }

  putIfAbsent(object: ObjectReference, parts: readonly Uint8Array[], crc32: number) {
    return this.of(object.bucket).putIfAbsent(object, parts, crc32);
  }

  replace(object: ObjectReference, parts: readonly Uint8Array[], crc32: number, version: string) {
    return this.of(object.bucket).replace(object, parts, crc32, version);
  }

  closeIdleConnections(): void {
    for (const store of this.stores.values()) store.closeIdleConnections();
  }

  async prepareConnection(bucket: string): Promise<void> {
    if (this.variant === 'prepared') await this.of(bucket).prepareConnection(bucket);
  }

  closePrepared(): void {
    for (const store of this.stores.values()) store.closePrepared();
  }

  private of(bucket: string): ObjectStore {
    const store = this.stores.get(bucket);
    if (store === undefined) throw new Error(`the benchmark has no bucket ${bucket}`);
    return store;
  }
}

async function storesOf(endpoints: ConnectionsJob['endpoints']): Promise<Map<string, ObjectStore>> {
  const stores = new Map<string, ObjectStore>();
  for (const [bucket, endpoint] of Object.entries(endpoints)) {
    process.env.AWS_ENDPOINT_URL_S3 = endpoint;
    const objects = functionObjects();
    // The client reads the endpoint with its first request.
    await objects.get({ bucket, key: 'first' }, { start: 0, end: 1 }).then(({ body }) => body.resume());
    stores.set(bucket, objects);
  }
  return stores;
}

/** The parent closes all connections. On Lambda, the process sleeps for so long that it knows. */
async function sleep(): Promise<void> {
  const awake = new Promise((resolve) => process.once('message', resolve));
  process.send?.('sleep');
  await awake;
  await delay(NOTICE_MS);
}

/** Time in which the process notices that its connections are closed. */
const NOTICE_MS = 50;

/** Rounds that are not counted: they load the slices and compile the code. */
const WARM_ROUNDS = 3;

let runs = 0;

/** Runs the slices, and returns the milliseconds of the last one. */
async function timed(handlers: readonly SliceHandler[], event: object): Promise<number> {
  const ofRun = { ...event, run: `bench/${runs++}` } as SliceEvent;
  for (const handler of handlers.slice(0, -1)) await handler(ofRun);
  await sleep();
  const start = performance.now();
  const answer = (await handlers[handlers.length - 1](ofRun)) as SliceAnswer;
  return performance.now() - start - answer.timing.runMs;
}

async function main({ endpoints, slices, calls, rounds, folder }: ConnectionsJob): Promise<void> {
  const times: Record<string, Record<Variant, number[]>> = {};
  const variants: (readonly [Variant, readonly SliceHandler[]])[] = [];
  for (const variant of VARIANTS) {
    const objects = new ObjectsByBucket(await storesOf(endpoints), variant);
    const options = { root: `${folder}/${variant}`, write: () => undefined };
    const handlers = slices.map((variables) =>
      makeHandler({ ...process.env, ...variables }, () => objects, options),
    );
    variants.push([variant, handlers]);
  }
  for (const { name, slice, event } of calls) {
    const ofCall: Record<Variant, number[]> = { 'as needed': [], prepared: [] };
    times[name] = ofCall;
    for (let round = -WARM_ROUNDS; round < rounds; round++) {
      for (const [variant, handlers] of round % 2 === 0 ? variants : [...variants].reverse()) {
        const ms = await timed(handlers.slice(0, slice + 1), event);
        if (round >= 0) ofCall[variant].push(ms);
      }
    }
  }
  process.send?.(times);
  process.disconnect();
}

if (require.main === module) void main(JSON.parse(process.argv[2]) as ConnectionsJob);
