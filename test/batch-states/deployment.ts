/** A stack's batches in moto's interpreter, with their functions and what the stack puts into S3. */
import { randomUUID } from 'node:crypto';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { BatchOutput, BatchRow } from '../../contract/batch';
import { readAssembly } from '../../local/cloudformation/assembly';
import { publishAssets } from '../../local/cloudformation/publish';
import { readBuckets, readFunction, readStateMachine } from '../../local/cloudformation/resources';
import { Template } from '../../local/cloudformation/template';
import type { ExecutionResult } from '../../local';
import type { Json, JsonObject } from '../../local/json';
import { DiskObjectStore } from '../../local/s3/store';
import { Functions, type Stand } from './functions';
import type { Hurry } from './hurry';
import { Interpreter } from './interpreter';
import { MapRuns, taskInstead, type MapArguments, type MapState } from './map-run';

interface Batch {
  readonly stateMachineArn: string;
  readonly definition: JsonObject;
}

interface Definition {
  readonly States: Readonly<Record<string, JsonObject>>;
}

export class Deployment {
  private readonly batches = new Map<string, Batch>();
  private template: Template | undefined;

  static async start(python: string, assembly: string, folder: string): Promise<Deployment> {
    const functions = await Functions.serve(folder);
    const interpreter = await Interpreter.start(python, functions.endpoint);
    const deployment = new Deployment(functions, interpreter, folder);
    try {
      await deployment.deploy(assembly);
      return deployment;
    } catch (error) {
      await deployment.end();
      throw error;
    }
  }

  private readonly mapRuns: MapRuns;

  private constructor(
    readonly functions: Functions,
    readonly interpreter: Interpreter,
    private readonly folder: string,
  ) {
    this.mapRuns = new MapRuns(interpreter);
  }

  async end(): Promise<void> {
    await this.functions.close();
    this.interpreter.end();
  }

  /** The bucket of the pipelines, which share one. */
  bucket = '';

  async putObject(key: string, body: Uint8Array | Readable | string): Promise<void> {
    await this.interpreter.put(this.bucket, key, body instanceof Readable ? await buffer(body) : body);
  }

  async getObject(key: string): Promise<Buffer> {
    return this.interpreter.get(this.bucket, key);
  }

  /** By the id of a batch: less time in its children, which is to be set before the batch runs. */
  readonly hurries = new Map<string, Hurry>();

  /** Starts an execution of a batch, by the id of its construct. */
  async execute(id: string, input: Json = {}): Promise<ExecutionResult> {
    const { stateMachineArn } = await this.batch(id);
    return this.interpreter.run(stateMachineArn, randomUUID(), input);
  }

  async run(id: string, input: Json = {}): Promise<{ output: BatchOutput; rows: BatchRow[] }> {
    const result = await this.execute(id, input);
    if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
    const output = result.output as unknown as BatchOutput;
    const lines = (await this.getObject(output.table.key)).toString('utf8').trimEnd().split('\n');
    return { output, rows: lines.map((line) => JSON.parse(line) as BatchRow) };
  }

  /** What answers instead of the function of a batch. */
  stand(id: string, stand: Stand | undefined): void {
    const functions = this.template?.resourcesOfType('AWS::Lambda::Function') ?? [];
    const found = functions.find(({ logicalId }) => logicalId.startsWith(`${id}Function`));
    if (this.template === undefined || found === undefined) throw new Error(`no batch ${id}`);
    const functionArn = `${readFunction(this.template, found).arn}:1`;
    if (stand === undefined) this.functions.stands.delete(functionArn);
    else this.functions.stands.set(functionArn, stand);
  }

  private async deploy(assembly: string): Promise<void> {
    const [stack] = readAssembly(assembly);
    const assets = new DiskObjectStore(path.join(this.folder, 'assets'));
    await publishAssets(stack, assets);
    for (const bucket of assets.bucketNames()) {
      await this.interpreter.createBucket(bucket);
      for (const object of assets.list(bucket, ''))
        await this.interpreter.put(bucket, object.key, await buffer(assets.read(object)));
    }
    const template = new Template(stack);
    this.template = template;
    // Reads the buckets that the definitions and the functions name.
    for (const machine of template.resourcesOfType('AWS::StepFunctions::StateMachine'))
      readStateMachine(template, machine);
    [this.bucket] = readBuckets(template);
    await this.interpreter.createBucket(this.bucket);
    this.functions.deploy({ template, assets, environment: this.interpreter.environment });
  }

  private async batch(id: string): Promise<Batch> {
    const known = this.batches.get(id);
    if (known !== undefined) return known;
    const { template } = this;
    const found = template
      ?.resourcesOfType('AWS::StepFunctions::StateMachine')
      .find(({ logicalId }) => logicalId.startsWith(`${id}StateMachine`));
    if (template === undefined || found === undefined) throw new Error(`no batch ${id}`);
    const definition = JSON.parse(readStateMachine(template, found).definition) as JsonObject;
    const { States } = definition as unknown as Definition;
    const functionArn = `arn:aws:lambda:us-east-1:123456789012:function:map-run-of-${id}`;
    const map = this.hurried(id, States.Items);
    this.functions.stands.set(functionArn, (event) =>
      this.mapRuns.run(map as unknown as MapState, event as unknown as MapArguments),
    );
    const states = { ...States, Items: taskInstead(map, functionArn) };
    const stateMachineArn = await this.interpreter.createMachine(id, { ...definition, States: states });
    const made = { stateMachineArn, definition };
    this.batches.set(id, made);
    return made;
  }

  private hurried(id: string, map: JsonObject): JsonObject {
    const hurry = this.hurries.get(id);
    if (hurry === undefined) return map;
    const child = map.ItemProcessor as unknown as Definition;
    return { ...map, ItemProcessor: { ...child, States: hurry(child.States) } };
  }
}
