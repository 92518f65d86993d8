/** Resolves CloudFormation's intrinsic functions in a stack's template, with generated physical ids. */
import { hash } from 'node:crypto';
import { entriesOf, isJsonArray, isJsonObject, type Json, type JsonObject } from '../json';
import { LocalCloudError, unsupported } from '../local-cloud-error';
import type { AssemblyStack, StackEnvironment } from './assembly';
import { attributeOf, referenceTo } from './physical-ids';
import { PublishedVersions, type Resource, type ResourceResolver, whereOf } from './resource';

const NO_VALUE = Symbol('AWS::NoValue');

type Resolved = Json | typeof NO_VALUE;

export class Template implements ResourceResolver {
  readonly stackName: string;
  readonly environment: StackEnvironment;
  private readonly resourceEntries: JsonObject;
  private readonly parameters: JsonObject;
  private readonly referred = new Set<string>();

  /** @param versions numbers of earlier deployments; this one adds its own */
  constructor(
    stack: Pick<AssemblyStack, 'name' | 'environment' | 'template'>,
    readonly versions = new PublishedVersions(),
  ) {
    this.stackName = stack.name;
    this.environment = stack.environment;
    this.resourceEntries = isJsonObject(stack.template.Resources) ? stack.template.Resources : {};
    this.parameters = isJsonObject(stack.template.Parameters) ? stack.template.Parameters : {};
  }

  resourcesOfType(type: string): Resource[] {
    return Object.keys(this.resourceEntries)
      .map((logicalId) => this.resource(logicalId))
      .filter((resource) => resource.type === type);
  }

  /** Resources that a resolved value refers to. The pipeline does not use the rest of the stack. */
  referredResources(type: string): Resource[] {
    return this.resourcesOfType(type).filter(({ logicalId }) => this.referred.has(logicalId));
  }

  resource(logicalId: string): Resource {
    const entry = this.resourceEntries[logicalId];
    if (!isJsonObject(entry) || typeof entry.Type !== 'string') {
      throw new LocalCloudError(
        `the stack '${this.stackName}' refers to '${logicalId}', got no such resource or parameter: synthesize it again`,
      );
    }
    const properties = isJsonObject(entry.Properties) ? entry.Properties : {};
    return { logicalId, type: entry.Type, properties };
  }

  resolve(value: Json): Json {
    const resolved = this.resolveValue(value);
    return resolved === NO_VALUE ? null : resolved;
  }

  property(resource: Resource, name: string): Json | undefined {
    const value = resource.properties[name];
    if (value === undefined) return undefined;
    const resolved = this.resolveValue(value);
    return resolved === NO_VALUE ? undefined : resolved;
  }

  text(resource: Resource, name: string): string {
    const value = this.property(resource, name);
    if (typeof value === 'string') return value;
    const got = value === undefined ? 'none' : JSON.stringify(value);
    throw new LocalCloudError(
      `the property ${name} of ${whereOf(resource)} must be text, got ${got}: synthesize it again`,
    );
  }

  private resolveValue(value: Json): Resolved {
    if (isJsonArray(value))
      return value.map((item) => this.resolveValue(item)).filter((item) => item !== NO_VALUE);
    if (!isJsonObject(value)) return value;
    const single = Object.keys(value).length === 1 ? entriesOf(value).at(0) : undefined;
    if (single !== undefined && (single[0] === 'Ref' || single[0].startsWith('Fn::'))) {
      return this.intrinsic(...single);
    }
    const entries = entriesOf(value).map(([key, item]) => [key, this.resolveValue(item)] as const);
    return Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== NO_VALUE));
  }

  private intrinsic(name: string, argument: Json): Resolved {
    switch (name) {
      case 'Ref':
        return this.ref(textOf(name, argument));
      case 'Fn::GetAtt':
        return this.attribute(argument);
      case 'Fn::Join': {
        const [separator, parts] = this.pair(name, argument);
        const texts = this.list(name, parts).map((part) => textOf(name, part));
        return texts.join(textOf(name, separator));
      }
      case 'Fn::Sub':
        return this.substituted(argument);
      case 'Fn::Select': {
        const [index, parts] = this.pair(name, argument);
        const selected = this.list(name, parts).at(Number(index));
        if (selected === undefined) throw this.malformed(name);
        return selected;
      }
      case 'Fn::Split': {
        const [separator, source] = this.pair(name, argument);
        return textOf(name, this.resolve(source)).split(textOf(name, separator));
      }
      default:
        throw unsupported(`the intrinsic function ${name} in the stack '${this.stackName}'`);
    }
  }

  private attribute(argument: Json): string {
    const name = 'Fn::GetAtt';
    const parts = isJsonArray(argument) ? argument : textOf(name, argument).split(/\.(.*)/s);
    if (parts.length < 2) throw this.malformed(name);
    const [logicalId, attribute] = parts.map((part) => textOf(name, part));
    this.referred.add(logicalId);
    return attributeOf(this, this.resource(logicalId), attribute);
  }

  private substituted(argument: Json): string {
    const name = 'Fn::Sub';
    const [pattern, variables] = this.pair(name, isJsonArray(argument) ? argument : [argument, {}]);
    if (!isJsonObject(variables)) throw this.malformed(name);
    return textOf(name, pattern).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, variable: string) => {
      if (literal !== '') return `\${${variable}}`;
      const reference = variable.includes('.') ? { 'Fn::GetAtt': variable } : { Ref: variable };
      return textOf(name, this.resolve(variables[variable] ?? reference));
    });
  }

  private pair(name: string, value: Json): readonly Json[] {
    if (isJsonArray(value) && value.length === 2) return value;
    throw this.malformed(name);
  }

  private list(name: string, value: Json): readonly Json[] {
    const resolved = this.resolve(value);
    if (isJsonArray(resolved)) return resolved;
    throw this.malformed(name);
  }

  private malformed(name: string): LocalCloudError {
    return new LocalCloudError(`the stack '${this.stackName}' has a malformed ${name}: synthesize it again`);
  }

  private ref(name: string): Resolved {
    if (name === 'AWS::NoValue') return NO_VALUE;
    if (name.startsWith('AWS::')) return this.pseudoParameter(name);
    const parameter = this.parameters[name];
    if (isJsonObject(parameter)) return this.parameter(name, parameter);
    this.referred.add(name);
    return referenceTo(this, this.resource(name));
  }

  private pseudoParameter(name: string): string {
    const { stackName } = this;
    const { account, region } = this.environment;
    const values: Readonly<Partial<Record<string, string>>> = {
      'AWS::AccountId': account,
      'AWS::Region': region,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': stackName,
      'AWS::StackId': `arn:aws:cloudformation:${region}:${account}:stack/${stackName}/${uuidOf(`${region}/${account}/${stackName}`)}`,
    };
    const value = values[name];
    if (value !== undefined) return value;
    throw unsupported(`the pseudo parameter ${name} in the stack '${stackName}'`);
  }

  private parameter(name: string, parameter: JsonObject): Json {
    if ((parameter.Type === 'String' || parameter.Type === 'Number') && parameter.Default !== undefined) {
      return parameter.Default;
    }
    throw unsupported(
      `the parameter '${name}' of the stack '${this.stackName}', which is not a String or Number with a default`,
      'give it a default or use a literal value',
    );
  }
}

/** @param name of the intrinsic function */
function textOf(name: string, value: Json): string {
  if (!isJsonObject(value) && !isJsonArray(value) && value !== null) return String(value);
  throw new LocalCloudError(
    `${name} expects text, got ${JSON.stringify(value)}: synthesize the assembly again`,
  );
}

/** The same for each deployment of a stack, so that its log groups and keys keep their names. */
function uuidOf(stack: string): string {
  return hash('sha256', stack).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5');
}
