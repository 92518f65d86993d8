/** Resolves CloudFormation's intrinsic functions in a stack's template, with generated physical ids. */
import type { AssemblyStack, StackEnvironment } from './assembly';
import { LocalCloudError, unsupported } from '../local-cloud-error';
import { entriesOf, isJsonArray, isJsonObject, type Json, type JsonObject } from '../json';
import { attributeOf, referenceTo } from './physical-ids';
import { NO_VALUE, pseudoParameter } from './pseudo-parameters';
import { PublishedVersions } from './published-versions';
import type { Resource, ResourceResolver } from './resource';

type Resolved = Json | typeof NO_VALUE;

export class Template implements ResourceResolver {
  readonly stackName: string;
  readonly environment: StackEnvironment;
  private readonly resourceEntries: JsonObject;
  private readonly parameters: JsonObject;
  /** Resources that are being resolved, to refuse a cycle before the call stack overflows. */
  private readonly resolving = new Set<string>();
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

  /** Replaces all intrinsic functions in a value. @throws LocalCloudError for an unsupported function or resource */
  resolve(value: Json): Json {
    const resolved = this.resolveValue(value);
    return resolved === NO_VALUE ? null : resolved;
  }

  /** A property of a resource, resolved; `undefined` if it is absent. */
  property(resource: Resource, name: string): Json | undefined {
    const value = resource.properties[name];
    if (value === undefined) return undefined;
    const resolved = this.guarded(`${resource.logicalId}.${name}`, () => this.resolveValue(value));
    return resolved === NO_VALUE ? undefined : resolved;
  }

  /** A property that must be present and be a string. */
  text(resource: Resource, name: string): string {
    const value = this.property(resource, name);
    if (typeof value === 'string') return value;
    const got = value === undefined ? 'none' : JSON.stringify(value);
    throw new LocalCloudError(
      `the property ${name} of ${resource.type} '${resource.logicalId}' must be text, got ${got}: synthesize it again`,
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
        return this.ref(text(argument, name));
      case 'Fn::GetAtt':
        return this.getAtt(argument);
      case 'Fn::Join':
        return this.join(argument);
      case 'Fn::Sub':
        return this.sub(argument);
      case 'Fn::Select':
        return this.select(argument);
      case 'Fn::Split':
        return this.split(argument);
      default:
        throw unsupported(`the intrinsic function ${name} in the stack '${this.stackName}'`);
    }
  }

  private ref(name: string): Resolved {
    if (name.startsWith('AWS::')) return pseudoParameter(name, this);
    const parameter = this.parameters[name];
    if (isJsonObject(parameter)) return this.parameter(name, parameter);
    this.referred.add(name);
    return this.guarded(name, () => referenceTo(this, this.resource(name)));
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

  private getAtt(argument: Json): Json {
    const parts = isJsonArray(argument) ? argument : text(argument, 'Fn::GetAtt').split(/\.(.*)/s);
    const [logicalId, attribute] = parts.map((part) => text(part, 'Fn::GetAtt'));
    if (parts.length < 2) throw this.malformed('Fn::GetAtt');
    this.referred.add(logicalId);
    return this.guarded(logicalId, () => attributeOf(this, this.resource(logicalId), attribute));
  }

  private join(argument: Json): string {
    const [separator, parts] = this.pair(argument, 'Fn::Join');
    return this.list(parts, 'Fn::Join')
      .map((part) => text(part, 'Fn::Join'))
      .join(text(separator, 'Fn::Join'));
  }

  private sub(argument: Json): string {
    const [pattern, variables] = this.pair(isJsonArray(argument) ? argument : [argument, {}], 'Fn::Sub');
    if (!isJsonObject(variables)) throw this.malformed('Fn::Sub');
    return text(pattern, 'Fn::Sub').replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal !== '') return `\${${name}}`;
      const variable = variables[name];
      if (variable !== undefined) return text(this.resolve(variable), 'Fn::Sub');
      return text(this.resolve(name.includes('.') ? { 'Fn::GetAtt': name } : { Ref: name }), 'Fn::Sub');
    });
  }

  private select(argument: Json): Json {
    const [index, parts] = this.pair(argument, 'Fn::Select');
    const selected = this.list(parts, 'Fn::Select').at(Number(index));
    if (selected === undefined) throw this.malformed('Fn::Select');
    return selected;
  }

  private split(argument: Json): Json {
    const [separator, source] = this.pair(argument, 'Fn::Split');
    return text(this.resolve(source), 'Fn::Split').split(text(separator, 'Fn::Split'));
  }

  private list(value: Json, intrinsic: string): readonly Json[] {
    const resolved = this.resolve(value);
    if (!isJsonArray(resolved)) throw this.malformed(intrinsic);
    return resolved;
  }

  private pair(value: Json, intrinsic: string): readonly [Json, Json] {
    if (!isJsonArray(value) || value.length !== 2) throw this.malformed(intrinsic);
    const [first, second] = value;
    return [first, second];
  }

  private guarded<T>(place: string, resolve: () => T): T {
    if (this.resolving.has(place)) {
      throw new LocalCloudError(
        `the resource '${place}' of the stack '${this.stackName}' refers to itself: fix the template`,
      );
    }
    this.resolving.add(place);
    try {
      return resolve();
    } finally {
      this.resolving.delete(place);
    }
  }

  private malformed(intrinsic: string): LocalCloudError {
    return new LocalCloudError(
      `the stack '${this.stackName}' has a malformed ${intrinsic}: synthesize it again`,
    );
  }
}

function text(value: Json, intrinsic: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw new LocalCloudError(
    `${intrinsic} expects text, got ${JSON.stringify(value)}: synthesize the assembly again`,
  );
}
