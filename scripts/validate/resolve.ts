/** Resolves the intrinsic functions of templates, also those that refer to another stack, with made-up physical ids. */
import { LocalCloudError } from '../../local/basics/errors';
import { entriesOf, isJsonArray, isJsonObject, type Json, type JsonObject } from '../../local/basics/json';
import type { StackEnvironment } from '../../local/cloudformation/assembly';
import { Template } from '../../local/cloudformation/template';

export interface SynthesizedTemplate {
  /** Path of the stack in the construct tree. */
  readonly path: string;
  readonly name: string;
  readonly environment: StackEnvironment;
  readonly file: string;
  readonly template: JsonObject;
  /** The path of the stack that contains this nested stack, and the logical id of its resource there. */
  readonly parent?: string;
  readonly resourceInParent?: string;
}

export interface TemplateResource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: JsonObject;
}

export function resourcesOf({ template }: SynthesizedTemplate, ...types: string[]): TemplateResource[] {
  const resources = isJsonObject(template.Resources) ? template.Resources : {};
  return entriesOf(resources).flatMap(([logicalId, resource]) => {
    if (!isJsonObject(resource) || typeof resource.Type !== 'string') return [];
    if (types.length > 0 && !types.includes(resource.Type)) return [];
    const properties = isJsonObject(resource.Properties) ? resource.Properties : {};
    return [{ logicalId, type: resource.Type, properties }];
  });
}

/** The templates of an app. */
export interface Templates {
  /** Of all stacks, nested ones included. */
  readonly templates: readonly SynthesizedTemplate[];
  /** Resolves intrinsic functions, also between the stacks. */
  readonly resolved: ResolvedTemplates;
}

/** Types of resources that the local cloud does not know because they have no part in a run. Their ids are placeholders. */
const WITHOUT_ROLE_IN_RUNS = /^(AWS::EC2|AWS::SNS|AWS::CloudWatch|Custom)::/;

export class ResolvedTemplates {
  private readonly resolvers = new Map<string, Template>();

  constructor(private readonly templates: readonly SynthesizedTemplate[]) {}

  /** Replaces all intrinsic functions in a value of a template. @throws LocalCloudError for a reference to an unknown resource */
  resolve(template: SynthesizedTemplate, value: Json): Json {
    return this.resolver(template).resolve(this.withinStack(template, value));
  }

  /** @throws LocalCloudError if the value does not resolve to text */
  text(template: SynthesizedTemplate, value: Json): string {
    const text = this.resolve(template, value);
    if (typeof text === 'string') return text;
    throw new LocalCloudError(
      `a value of the stack '${template.name}' must be text, got ${JSON.stringify(text)}: synthesize it again`,
    );
  }

  private resolver(template: SynthesizedTemplate): Template {
    const known = this.resolvers.get(template.path);
    if (known) return known;
    const resolver = new Template({
      name: template.name,
      environment: template.environment,
      template: { ...template.template, Parameters: this.parametersOf(template) },
    });
    this.resolvers.set(template.path, resolver);
    return resolver;
  }

  /** The parameters, with the values that the parent of a nested stack sets as defaults. */
  private parametersOf(template: SynthesizedTemplate): JsonObject {
    const parameters = isJsonObject(template.template.Parameters) ? template.template.Parameters : {};
    const parent = this.templates.find(({ path }) => path === template.parent);
    if (!parent) return parameters;
    const resource = resourcesOf(parent).find(({ logicalId }) => logicalId === template.resourceInParent);
    const given = resource?.properties.Parameters;
    if (given === undefined || !isJsonObject(given)) return parameters;
    const set = entriesOf(given).map(([name, value]): [string, Json] => [
      name,
      { Type: 'String', Default: this.resolve(parent, value) },
    ]);
    return { ...parameters, ...Object.fromEntries(set) };
  }

  /** Replaces references to other stacks by values. */
  private withinStack(template: SynthesizedTemplate, value: Json): Json {
    if (isJsonArray(value)) return value.map((item) => this.withinStack(template, item));
    if (!isJsonObject(value)) return value;
    const imported = value['Fn::ImportValue'];
    if (typeof imported === 'string') return this.exported(imported);
    const [logicalId, attribute] = referenceOf(value);
    if (logicalId !== undefined) {
      const type = resourcesOf(template).find((resource) => resource.logicalId === logicalId)?.type;
      if (type !== undefined && WITHOUT_ROLE_IN_RUNS.test(type)) return `made-up-${logicalId}`;
      const nested = this.templates.find(
        ({ parent, resourceInParent }) => parent === template.path && resourceInParent === logicalId,
      );
      if (nested && attribute !== undefined) return this.output(nested, attribute.replace(/^Outputs\./, ''));
    }
    return Object.fromEntries(
      entriesOf(value).map(([name, item]) => [name, this.withinStack(template, item)]),
    );
  }

  private exported(name: string): Json {
    for (const template of this.templates) {
      for (const [id, output] of entriesOf(outputsOf(template))) {
        const own = isJsonObject(output) && isJsonObject(output.Export ?? null) ? output.Export : undefined;
        if (own !== undefined && isJsonObject(own) && own.Name === name) return this.output(template, id);
      }
    }
    throw new LocalCloudError(`a stack imports '${name}', got no such export: export it from another stack`);
  }

  private output(template: SynthesizedTemplate, id: string): Json {
    const output = outputsOf(template)[id];
    if (output !== undefined && isJsonObject(output) && output.Value !== undefined)
      return this.resolve(template, output.Value);
    throw new LocalCloudError(`the stack '${template.name}' must have the output '${id}', got none: add it`);
  }
}

/** Returns the logical id that a `Ref` or `Fn::GetAtt` refers to, and the attribute. */
function referenceOf(value: JsonObject): [logicalId?: string, attribute?: string] {
  if (typeof value.Ref === 'string') return [value.Ref];
  const attribute = value['Fn::GetAtt'];
  if (attribute === undefined || !isJsonArray(attribute)) return [];
  return attribute.filter((part) => typeof part === 'string') as [string, string];
}

function outputsOf({ template }: SynthesizedTemplate): JsonObject {
  return isJsonObject(template.Outputs) ? template.Outputs : {};
}
