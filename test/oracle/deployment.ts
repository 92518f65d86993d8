/** What a deployment consists of: read from `plan.json` and from the template that CloudFormation gets, as a foreign tool would read both. */

export interface Tensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string | null)[] | null;
}

export interface Read extends Tensor {
  readonly source: { readonly from: 'request' } | { readonly from: 'slice'; readonly slice: number };
}

/** The fields of `plan.json` (docs/plan.md) that prices and times follow from. */
export interface PlanFile {
  readonly dimensions: Readonly<Record<string, number>>;
  readonly threads: number;
  readonly prepacking?: boolean;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Read[];
  readonly slices: readonly {
    readonly model: { readonly bytes: number };
    readonly weights?: { readonly bytes: number };
    readonly inputs: readonly Read[];
    readonly outputs: readonly Tensor[];
    readonly activationBytes: number;
    readonly readBytes: number;
    readonly writeBytes: number;
    readonly memoryMb: number;
    readonly ephemeralStorageMb: number;
  }[];
}

export interface Fn {
  readonly memoryMb: number;
  readonly isArm: boolean;
  readonly tmpMb: number;
  readonly inVpc: boolean;
  /** Of ONNX Runtime. */
  readonly threads: number;
}

export type State =
  | {
      readonly kind: 'call';
      readonly purpose: 'slice' | 'warm-up' | 'ask' | 'load';
      readonly fn: Fn;
      /** Of slices and warm-ups. */
      readonly slice: number;
      /** The earlier slices whose tensors are in the event. */
      readonly inEvent: readonly number[];
      /** Whether it may answer its tensors instead of writing them to S3. */
      readonly mayAnswer: boolean;
    }
  | { readonly kind: 'parallel'; readonly branches: readonly (readonly State[])[] };

export interface Deployment {
  readonly isExpress: boolean;
  /** In the order in which they run. With consolidation, `ask` is the first, and the others run if it fails. */
  readonly states: readonly State[];
  /** By the first part of a key, such as `runs/`: days until objects expire. */
  readonly days: Readonly<Record<string, number>>;
}

type Json = Readonly<Record<string, unknown>>;

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Json }>>;
}

interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, Json>>;
}

export function readDeployment(template: unknown): Deployment {
  const { Resources } = template as Template;
  const all = Object.values(Resources);
  const machine = all.find(({ Type }) => Type === 'AWS::StepFunctions::StateMachine')?.Properties;
  const bucket = all.find(({ Type }) => Type === 'AWS::S3::Bucket')?.Properties;
  if (machine === undefined) throw new Error('the template has no state machine');
  const rules = (bucket?.LifecycleConfiguration as { Rules?: Json[] } | undefined)?.Rules ?? [];
  const definition = JSON.parse(joined(machine.DefinitionString)) as Definition;
  return {
    isExpress: machine.StateMachineType === 'EXPRESS',
    states: follow(definition, definition.StartAt, Resources),
    days: Object.fromEntries(
      rules.flatMap((rule) =>
        typeof rule.ExpirationInDays === 'number' ? [[rule.Prefix as string, rule.ExpirationInDays]] : [],
      ),
    ),
  };
}

/** A text of the template, with the names of resources in place of what only a deployment knows. */
function joined(text: unknown): string {
  if (typeof text === 'string') return text;
  const { 'Fn::Join': join, Ref: ref } = text as { 'Fn::Join'?: [string, unknown[]]; Ref?: string };
  if (ref !== undefined) return ref;
  if (join === undefined) throw new Error(`unknown intrinsic function: ${JSON.stringify(text)}`);
  return join[1].map(joined).join(join[0]);
}

/** The states that a run which finds everything cold passes without a failure. */
function follow({ States }: Definition, start: string, resources: Template['Resources']): State[] {
  const states: State[] = [];
  for (let name: string | undefined = start; name !== undefined;) {
    const state: Json = States[name];
    if (state.Type === 'Parallel') {
      const branches = state.Branches as readonly Definition[];
      states.push({
        kind: 'parallel',
        branches: branches.map((branch) => follow(branch, branch.StartAt, resources)),
      });
    } else if (state.Type === 'Task') states.push(callOf(name, state, resources));
    else throw new Error(`unexpected state ${name}`);
    name = nextOf(state);
  }
  return states;
}

/** If the whole model is cold, its state fails on purpose, and the last `Catch` leads to the slices. */
function nextOf(state: Json): string | undefined {
  const { Payload } = (state.Arguments ?? {}) as { Payload?: Json };
  if (Payload?.ifWarm !== true) return state.Next as string | undefined;
  return (state.Catch as readonly { Next: string }[]).at(-1)?.Next;
}

function callOf(name: string, state: Json, resources: Template['Resources']): State {
  const { FunctionName, Payload } = state.Arguments as { FunctionName: string; Payload: string | Json };
  const payload: Json = typeof Payload === 'string' ? {} : Payload;
  const flag = (['warmUp', 'ifWarm', 'load'] as const).find((own) => payload[own] === true);
  const purpose =
    flag === undefined ? 'slice' : ({ warmUp: 'warm-up', ifWarm: 'ask', load: 'load' } as const)[flag];
  return {
    ...{ kind: 'call', purpose, fn: functionOf(FunctionName, resources) },
    slice: Number(/\d+/.exec(name)?.[0] ?? 0),
    inEvent: Object.keys((payload.tensors ?? {}) as Json).map(Number),
    mayAnswer: payload.maxTensors !== undefined,
  };
}

function functionOf(version: string, resources: Template['Resources']): Fn {
  const { Ref } = resources[version].Properties.FunctionName as { Ref: string };
  const own = resources[Ref].Properties as {
    MemorySize: number;
    Architectures: string[];
    EphemeralStorage: { Size: number };
    VpcConfig?: unknown;
    Environment: { Variables: { SLICE_THREADS: string } };
  };
  return {
    memoryMb: own.MemorySize,
    isArm: own.Architectures[0] === 'arm64',
    tmpMb: own.EphemeralStorage.Size,
    inVpc: own.VpcConfig !== undefined,
    threads: Number(own.Environment.Variables.SLICE_THREADS),
  };
}
