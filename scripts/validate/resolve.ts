/** Resolves the intrinsic functions of templates, also those that refer to another stack, with made-up physical ids. */
import { LocalCloudError } from '../../local/local-cloud-error';
import { entriesOf, isJsonArray, isJsonObject, type Json, type JsonObject } from '../../local/json';
import type { StackEnvironment } from '../../local/cloudformation/assembly';
import { Template } from '../../local/cloudformation/template';

export interface SynthesizedTemplate {
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
  return entriesOf(objectOf(template.Resources)).flatMap(([logicalId, resource]) => {
    if (!isJsonObject(resource) || typeof resource.Type !== 'string') return [];
    if (types.length > 0 && !types.includes(resource.Type)) return [];
    return [{ logicalId, type: resource.Type, properties: objectOf(resource.Properties) }];
  });
}

export interface Templates {
  /** Of all stacks, nested ones included. */
  readonly templates: readonly SynthesizedTemplate[];
  readonly resolved: ResolvedTemplates;
}

export interface ResolvedDefinition {
  /** Stack and logical id. */
  readonly place: string;
  readonly text: string;
  readonly definition: JsonObject;
}

export function definitionsOf({ templates, resolved }: Templates): ResolvedDefinition[] {
  return templates.flatMap((template) =>
    resourcesOf(template, 'AWS::StepFunctions::StateMachine').map(({ logicalId, properties }) => {
      const text = resolved.text(template, properties.DefinitionString ?? null);
      return { place: `${template.path}/${logicalId}`, text, definition: JSON.parse(text) as JsonObject };
    }),
  );
}

/** Types of resources that the local cloud does not know because they have no part in a run. Their ids are placeholders. */
const WITHOUT_ROLE_IN_RUNS = /^(AWS::EC2|AWS::SNS|AWS::CloudWatch|Custom)::/;

export class ResolvedTemplates {
  private readonly resolvers = new Map<string, Template>();

  constructor(private readonly templates: readonly SynthesizedTemplate[]) {}

  /** Replaces all intrinsic functions in a value of a template. @throws LocalCloudError for a reference to an unknown resource */
  resolve(template: SynthesizedTemplate, value: Json): Json {
    const { path, name, environment } = template;
    let resolver = this.resolvers.get(path);
    if (resolver === undefined) {
      const Parameters = { ...objectOf(template.template.Parameters), ...this.setByParent(template) };
      resolver = new Template({ name, environment, template: { ...template.template, Parameters } });
      this.resolvers.set(path, resolver);
    }
    return resolver.resolve(this.withinStack(template, value));
  }

  text(template: SynthesizedTemplate, value: Json): string {
    const text = this.resolve(template, value);
    if (typeof text === 'string') return text;
    throw new LocalCloudError(`a value of '${template.name}' must be text, got ${JSON.stringify(text)}`);
  }

  /** The parameters that the parent of a nested stack sets, as defaults. */
  private setByParent(template: SynthesizedTemplate): JsonObject {
    const parent = this.templates.find(({ path }) => path === template.parent);
    if (!parent) return {};
    const resource = resourcesOf(parent).find(({ logicalId }) => logicalId === template.resourceInParent);
    const set = entriesOf(objectOf(resource?.properties.Parameters));
    return Object.fromEntries(
      set.map(([name, value]) => [name, { Type: 'String', Default: this.resolve(parent, value) }]),
    );
  }

  /** Replaces references to other stacks by values. */
  private withinStack(template: SynthesizedTemplate, value: Json): Json {
    if (isJsonArray(value)) return value.map((item) => this.withinStack(template, item));
    if (!isJsonObject(value)) return value;
    const imported = value['Fn::ImportValue'];
    if (typeof imported === 'string') return this.exported(imported);
    // A reference has the logical id, and the attribute if it is a `Fn::GetAtt`.
    const [logicalId = '', attribute] = [value['Fn::GetAtt'] ?? value.Ref ?? []].flat() as (
      string | undefined
    )[];
    const type = resourcesOf(template).find((resource) => resource.logicalId === logicalId)?.type;
    if (type !== undefined && WITHOUT_ROLE_IN_RUNS.test(type)) return `made-up-${logicalId}`;
    const nested = this.templates.find(
      ({ parent, resourceInParent }) => parent === template.path && resourceInParent === logicalId,
    );
    if (nested && attribute !== undefined)
      return this.output(nested, objectOf(nested.template.Outputs)[attribute.replace(/^Outputs\./, '')]);
    return Object.fromEntries(
      entriesOf(value).map(([name, item]) => [name, this.withinStack(template, item)]),
    );
  }

  private exported(name: string): Json {
    for (const template of this.templates) {
      const outputs = Object.values(objectOf(template.template.Outputs));
      const found = outputs.find((output) => objectOf(objectOf(output).Export).Name === name);
      if (found !== undefined) return this.output(template, found);
    }
    throw new LocalCloudError(`a stack imports '${name}', got no such export: export it from another stack`);
  }

  private output(template: SynthesizedTemplate, output: Json | undefined): Json {
    return this.resolve(template, objectOf(output).Value ?? null);
  }
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
