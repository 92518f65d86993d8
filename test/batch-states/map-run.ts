/**
 * A run of a distributed Map, from AWS's documents alone: it shares no code with the local cloud. The interpreter evaluates all expressions and runs
 * the children.
 */
import { randomUUID } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { ExecutionResult } from '../../local';
import type { Json, JsonObject } from '../../local/json';
import { FunctionFailed } from './functions';
import type { Interpreter } from './interpreter';

/** Without the `States.` of Step Functions, which moto forbids functions. */
export const ITEM_READER_FAILED = 'ItemReaderFailed';

/** The fields of the state that a run needs. */
export interface MapState {
  readonly ItemReader: {
    readonly Resource: string;
    readonly ReaderConfig?: { readonly InputType: string; readonly Transformation?: string };
    readonly Arguments: JsonObject;
  };
  readonly ItemSelector: JsonObject;
  readonly ItemBatcher: {
    readonly MaxItemsPerBatch: number;
    readonly MaxInputBytesPerBatch: number;
    readonly BatchInput: JsonObject;
  };
  readonly ResultWriter: { readonly Arguments: JsonObject };
  readonly ItemProcessor: JsonObject;
}

/** What the interpreter has evaluated before the run. */
export interface MapArguments {
  readonly reader: { readonly Bucket: string; readonly Prefix?: string; readonly Key?: string };
  readonly batchInput: JsonObject;
  readonly writer: { readonly Bucket: string; readonly Prefix: string };
}

/** A task in the place of the Map, whose payload has what the Map evaluates itself. Its `Catch` and what follows stay. */
export function taskInstead(state: JsonObject, functionArn: string): JsonObject {
  const { ItemReader, ItemBatcher, ResultWriter } = state as unknown as MapState;
  const Payload = {
    reader: ItemReader.Arguments,
    batchInput: ItemBatcher.BatchInput,
    writer: ResultWriter.Arguments,
  };
  const kept = Object.entries(state).filter(([name]) => ['Next', 'End', 'Catch', 'Assign'].includes(name));
  return {
    ...Object.fromEntries(kept),
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: functionArn, Payload },
    Output: state.Output ?? '{% $states.result.Payload %}',
  };
}

export class MapRuns {
  private readonly machines = new Map<MapState, Promise<{ select: string; child: string }>>();

  constructor(private readonly interpreter: Interpreter) {}

  async run(state: MapState, { reader, batchInput, writer }: MapArguments): Promise<JsonObject> {
    const machines = this.machines.get(state) ?? this.create(state);
    this.machines.set(state, machines);
    const { select, child } = await machines;
    const items = await this.items(state, reader);
    const selected = await this.interpreter.run(select, randomUUID(), items);
    if (selected.status !== 'SUCCEEDED') throw new FunctionFailed(selected.error, selected.cause);
    const ended: Child[] = [];
    for (const input of batches(state, selected.output as JsonObject[], batchInput)) {
      const name = randomUUID();
      const start = new Date();
      const result = await this.interpreter.run(child, name, input);
      ended.push({ ...{ name, input, result, start, stop: new Date() }, stateMachineArn: child });
    }
    return this.write(ended, writer);
  }

  private async create({
    ItemSelector,
    ItemProcessor,
  }: MapState): Promise<{ select: string; child: string }> {
    // It says that it is the processor of a distributed Map.
    const child = Object.fromEntries(
      Object.entries(ItemProcessor).filter(([name]) => name !== 'ProcessorConfig'),
    );
    const QueryLanguage = 'JSONata';
    // An inline Map selects as a distributed one does.
    const Item = { Type: 'Pass', End: true };
    const ItemProcessorOfSelect = { ProcessorConfig: { Mode: 'INLINE' }, StartAt: 'Item', States: { Item } };
    const Items = '{% $states.input %}';
    const map = { Type: 'Map', Items, ItemSelector, ItemProcessor: ItemProcessorOfSelect, End: true };
    const selection: JsonObject = { QueryLanguage, StartAt: 'Select', States: { Select: map } };
    return {
      select: await this.interpreter.createMachine(randomUUID(), selection),
      child: await this.interpreter.createMachine(randomUUID(), { QueryLanguage, ...child }),
    };
  }

  /** https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html */
  private async items(
    { ItemReader }: MapState,
    { Bucket, Prefix, Key }: MapArguments['reader'],
  ): Promise<Json[]> {
    const { InputType = '', Transformation } = ItemReader.ReaderConfig ?? {};
    if (Prefix !== undefined) {
      const objects = await this.interpreter.list(Bucket, Prefix);
      if (Transformation === 'LOAD_AND_FLATTEN') {
        const lists = objects.map(async ({ Key: key = '' }) =>
          entriesOf(InputType, await this.interpreter.get(Bucket, key)),
        );
        return (await Promise.all(lists)).flat();
      }
      return objects.map(({ ETag = '', Key: key = '', LastModified, Size = 0 }) => ({
        Etag: ETag,
        Key: key,
        LastModified: Math.floor((LastModified?.getTime() ?? 0) / 1000),
        Size,
        StorageClass: 'STANDARD',
      }));
    }
    const body = await this.interpreter.get(Bucket, Key ?? '').catch((error: unknown) => {
      throw new FunctionFailed(ITEM_READER_FAILED, String(error));
    });
    if (InputType !== 'MANIFEST') return await entriesOf(InputType, body);
    return await this.inventory(Bucket, JSON.parse(body.toString('utf8')) as Manifest);
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html */
  private async inventory(Bucket: string, { fileSchema, files }: Manifest): Promise<Json[]> {
    const lists = files.map(async ({ key }) => {
      const lines = linesOf(gunzipSync(await this.interpreter.get(Bucket, key)));
      return rowsOf([fileSchema.replaceAll(', ', ','), ...lines.map((line) => line.replaceAll('"', ''))]);
    });
    return (await Promise.all(lists)).flat();
  }

  /** https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html */
  private async write(
    children: readonly Child[],
    { Bucket, Prefix }: MapArguments['writer'],
  ): Promise<JsonObject> {
    const id = randomUUID();
    const MapRunArn = `arn:aws:states:us-east-1:123456789012:mapRun:Batch/Items:${id}`;
    const written: Record<string, Json[]> = { FAILED: [], PENDING: [], SUCCEEDED: [] };
    for (const status of ['SUCCEEDED', 'FAILED']) {
      const records = children.filter(({ result }) => result.status === status).map(recordOf);
      if (records.length === 0) continue;
      const Key = `${Prefix}/${id}/${status}_0.json`;
      const body = JSON.stringify(records);
      await this.interpreter.put(Bucket, Key, body);
      written[status].push({ Key, Size: Buffer.byteLength(body) });
    }
    const Key = `${Prefix}/${id}/manifest.json`;
    await this.interpreter.put(
      Bucket,
      Key,
      JSON.stringify({ DestinationBucket: Bucket, MapRunArn, ResultFiles: written }),
    );
    return { MapRunArn, ResultWriterDetails: { Bucket, Key } };
  }
}

interface Manifest {
  readonly fileSchema: string;
  readonly files: readonly { readonly key: string }[];
}

async function entriesOf(inputType: string, body: Buffer): Promise<Json[]> {
  if (inputType === 'JSONL') return linesOf(body).map((line) => JSON.parse(line) as Json);
  if (inputType === 'JSON') return JSON.parse(body.toString('utf8')) as Json[];
  if (inputType === 'CSV') return rowsOf(linesOf(body));
  if (inputType !== 'PARQUET') throw new Error(`no reader of '${inputType}'`);
  const { parquetReadObjects } = await import('hyparquet');
  return (await parquetReadObjects({ file: new Uint8Array(body).buffer })) as Json[];
}

function linesOf(body: Buffer): string[] {
  return body
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** Cells of the check have no quotes and commas. */
function rowsOf(lines: readonly string[]): Json[] {
  const [header, ...others] = lines.map((line) => line.split(','));
  return others.map((cells) => Object.fromEntries(header.map((name, at) => [name, cells[at]])));
}

interface Child {
  readonly name: string;
  readonly stateMachineArn: string;
  readonly input: JsonObject;
  readonly result: ExecutionResult;
  readonly start: Date;
  readonly stop: Date;
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html */
function batches(
  { ItemBatcher }: MapState,
  items: readonly JsonObject[],
  BatchInput: JsonObject,
): JsonObject[] {
  const { MaxItemsPerBatch, MaxInputBytesPerBatch } = ItemBatcher;
  const inputOf = (Items: readonly JsonObject[]): JsonObject => ({ Items: [...Items], BatchInput });
  const made: JsonObject[][] = [];
  for (const item of items) {
    const last = made.at(-1);
    const fits =
      last !== undefined &&
      last.length < MaxItemsPerBatch &&
      Buffer.byteLength(JSON.stringify(inputOf([...last, item]))) <= MaxInputBytesPerBatch;
    if (fits) last.push(item);
    else made.push([item]);
  }
  return made.map(inputOf);
}

function recordOf({ name, stateMachineArn, input, result, start, stop }: Child): JsonObject {
  return {
    ExecutionArn: result.executionArn,
    Input: JSON.stringify(input),
    InputDetails: { Included: true },
    Name: name,
    ...(result.status === 'SUCCEEDED'
      ? { Output: JSON.stringify(result.output), OutputDetails: { Included: true } }
      : { Error: result.error, Cause: result.cause }),
    StartDate: start.toISOString(),
    StateMachineArn: stateMachineArn,
    Status: result.status,
    StopDate: stop.toISOString(),
  };
}
