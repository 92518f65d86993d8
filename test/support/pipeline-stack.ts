/** Synthesizes a stack with a pipeline, and reads its template in the short notation of the tests. */
import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { Construct } from 'constructs';
import { type SlicedInferencePipelineProps, SlicedInferencePipeline } from '../../lib';
import { analyzeFast } from './inference/fast-analysis';
import { mlp, sharedModel, temporaryFolder } from './model-builder';

analyzeFast();

/** The apps of a test file share an output folder, so that CDK writes each asset once. */
const outdir = temporaryFolder();

/** A model of four layers, whose weights lie outside the graph. */
export const MLP_PATH = sharedModel('mlp-4', mlp(4));

export type Properties = Readonly<Record<string, unknown>>;

export interface StateMachineDefinition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

interface State {
  readonly Type: string;
  readonly Assign?: Readonly<Record<string, unknown>>;
  readonly Catch?: readonly Readonly<Record<string, unknown>>[];
  readonly Branches?: readonly StateMachineDefinition[];
  readonly [field: string]: unknown;
}

export interface ShortTemplate {
  /** Properties of all resources of a type, by their paths below the stack, in short notation. */
  readonly resources: (type: string) => Readonly<Record<string, Properties>>;
  /** Properties of the resource at a path below the stack, in short notation. */
  readonly resource: (path: string) => Properties;
  readonly template: Template;
}

export interface PipelineStack extends ShortTemplate {
  readonly pipeline: SlicedInferencePipeline;
}

export function newApp(context: Record<string, unknown> = {}): App {
  return new App({ outdir, analyticsReporting: false, context });
}

export function newStack(context: Record<string, unknown> = {}): Stack {
  return new Stack(newApp(context), 'Stack');
}

/**
 * Creates a stack with one pipeline `Pipeline`. A function as `props` may add the constructs that the props need to the
 * stack; `use` may add constructs that use the pipeline.
 */
export function pipelineStack(
  props:
    Partial<SlicedInferencePipelineProps> | ((stack: Stack) => Partial<SlicedInferencePipelineProps>) = {},
  use: (pipeline: SlicedInferencePipeline, stack: Stack) => void = () => undefined,
): PipelineStack {
  const stack = newStack();
  const pipeline = addPipeline(stack, 'Pipeline', typeof props === 'function' ? props(stack) : props);
  use(pipeline, stack);
  return { pipeline, ...shortTemplate(stack) };
}

export function addPipeline(
  scope: Construct,
  id: string,
  props: Partial<SlicedInferencePipelineProps> = {},
): SlicedInferencePipeline {
  return new SlicedInferencePipeline(scope, id, {
    modelPath: MLP_PATH,
    dimensions: props.modelPath === undefined ? { batch: 1 } : {},
    ...props,
  });
}

/**
 * Returns the template of a stack in short notation: `{path}` is a Ref, `{path.Arn}` an attribute, `<sha256>` a digest,
 * and joins are joined.
 */
export function shortTemplate(stack: Stack): ShortTemplate {
  const template = Template.fromStack(stack);
  const paths = resourcePaths(stack);
  const { Resources = {} } = template.toJSON() as {
    Resources?: Record<string, { Type: string; Properties?: Properties }>;
  };
  const byPath = Object.entries(Resources).map(([id, { Type, Properties = {} }]) => ({
    path: paths.get(id) ?? id,
    type: Type,
    properties: short(Properties, paths) as Properties,
  }));
  return {
    template,
    resources: (type) =>
      Object.fromEntries(
        byPath.filter((resource) => resource.type === type).map(({ path, properties }) => [path, properties]),
      ),
    resource: (path) => {
      const found = byPath.find((resource) => resource.path === path);
      if (found === undefined)
        throw new Error(`no resource '${path}', only ${byPath.map((r) => r.path).join(', ')}`);
      return found.properties;
    },
  };
}

/** The definition of a state machine: by default, of the pipeline of `pipelineStack`. */
export function definitionOf(
  { resource }: Pick<ShortTemplate, 'resource'>,
  path = 'Pipeline/StateMachine',
): StateMachineDefinition {
  const text = resource(path).DefinitionString as string;
  return JSON.parse(text.replaceAll('{AWS::Partition}', 'aws')) as StateMachineDefinition;
}

/** Returns the paths below the stack by logical id. */
function resourcePaths(stack: Stack): Map<string, string> {
  const resources = stack.node.findAll().filter((construct) => CfnResource.isCfnResource(construct));
  return new Map(
    resources.map((resource) => [
      stack.resolve(resource.logicalId) as string,
      resource.node.path.replace(/^[^/]*\//, '').replace(/\/Resource$/, ''),
    ]),
  );
}

function short(value: unknown, paths: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return scrubbed(value);
  if (Array.isArray(value)) return value.map((item) => short(item, paths));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Properties);
  const [name, argument] = entries.length === 1 ? entries[0] : ['', undefined];
  switch (name) {
    case 'Ref':
      return `{${paths.get(argument as string) ?? (argument as string)}}`;
    case 'Fn::GetAtt': {
      const [id, attribute] = argument as [string, string];
      return `{${paths.get(id) ?? id}.${attribute}}`;
    }
    case 'Fn::Join': {
      const [separator, parts] = argument as [string, unknown[]];
      return scrubbed(parts.map((part) => short(part, paths)).join(separator));
    }
    case 'Fn::Sub':
      return scrubbed((argument as string).replaceAll('${', '{'));
    case 'Fn::Select': {
      const [index, list] = argument as [string, unknown];
      return `${String(short(list, paths))}[${index}]`;
    }
    case 'Fn::Split': {
      const [separator, source] = argument as [string, unknown];
      return `split(${String(short(source, paths))}, ${separator})`;
    }
    default:
      return Object.fromEntries(entries.map(([key, item]) => [key, short(item, paths)]));
  }
}

/** Replaces digests, which change with the version of the library. */
export function scrubbed(text: string): string {
  return text.replaceAll(/\b[0-9a-f]{64}\b/g, '<sha256>');
}

/** Returns the message of the error that the action throws; throws if it throws none. */
export function errorOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the action did not throw');
}
