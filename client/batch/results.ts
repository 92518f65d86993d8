/** Reads results of items, which share objects. */
import type { BatchResult, BatchSignature } from '../../contract/batch';
import { parsedRecord, quotedName } from '../../lambda/json-values';
import type { RawTensor } from '../../lambda/tensors/tensor';
import type { Objects } from '../aws/objects';
import { invalidOutput, readTensors, tensorsOfEntry } from '../read-results';

/** The tensors of an item, or the JSON of a postprocess function. */
export type ItemResult = { readonly tensors: ReadonlyMap<string, RawTensor> } | { readonly output: unknown };

type Content = { readonly tensors: ReadonlyMap<string, RawTensor> } | { readonly lines: readonly string[] };

/** Rows that follow each other are mostly in one object. Runs that were halved, and skipped rows, alternate between some. */
const KEPT_OBJECTS = 4;

export class ResultReader {
  private readonly kept = new Map<string, Promise<Content>>();

  /** @param repeated sends a request again if that may help */
  constructor(
    private readonly objects: Objects,
    private readonly signature: BatchSignature,
    private readonly signal: AbortSignal,
    private readonly repeated: <T>(send: () => Promise<T>) => Promise<T>,
  ) {}

  /** @throws InferenceError `InvalidOutput` if the object has no such entry */
  async read({ key, entry }: BatchResult): Promise<ItemResult> {
    const content = await this.content(key);
    if ('tensors' in content) return { tensors: tensorsOfEntry(content.tensors, entry) };
    const line = parsedRecord(content.lines.at(entry) ?? '');
    if (line !== undefined && 'output' in line) return { output: line.output };
    throw invalidOutput(`the line ${entry} of ${quotedName(key)}`, 'none');
  }

  private content(key: string): Promise<Content> {
    const content = this.kept.get(key) ?? this.load(key);
    // The object of the latest row stays longest.
    this.kept.delete(key);
    this.kept.set(key, content);
    content.catch(() => this.kept.delete(key));
    for (const oldest of [...this.kept.keys()].slice(0, -KEPT_OBJECTS)) this.kept.delete(oldest);
    return content;
  }

  private async load(key: string): Promise<Content> {
    const { objects, signal } = this;
    const object = { bucket: this.signature.bucket, key };
    if (!key.endsWith('.jsonl'))
      return { tensors: await this.repeated(() => readTensors(object, objects, signal)) };
    const bytes = await this.repeated(() => objects.get(object, signal));
    return { lines: Buffer.from(bytes).toString('utf8').split('\n') };
  }
}
