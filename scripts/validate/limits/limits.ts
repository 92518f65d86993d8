/** Sizes and numbers against the quotas of AWS: of templates as CDK wrote them, and of values as the services get them. */
import * as fs from 'node:fs';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import {
  MAX_DEFINITION_BYTES,
  MAX_LAMBDA_ENVIRONMENT_BYTES,
  MAX_STACK_RESOURCES,
  MAX_TEMPLATE_BYTES,
} from '../../../lib/aws/quotas';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../../local/json';
import type { Check, Finding } from '../check';
import {
  definitionsOf,
  ResolvedTemplates,
  resourcesOf,
  type SynthesizedTemplate,
  type Templates,
} from '../resolve';
import { atMost } from './at-most';
import { policyExcesses } from './policies';
import * as quotas from './quotas';

/** The local cloud's ARNs are those of the partition `aws`. In other partitions they are longer. */
class InPartition extends ResolvedTemplates {
  override resolve(template: SynthesizedTemplate, value: Json): Json {
    const json = JSON.stringify(super.resolve(template, value));
    const { partition = 'aws' } = RegionInfo.get(template.environment.region);
    return JSON.parse(json.replaceAll('arn:aws:', `arn:${partition}:`)) as Json;
  }
}

function excesses({ templates }: Templates): Finding[] {
  const subject = { templates, resolved: new InPartition(templates) };
  return [
    ...templates.flatMap(templateExcesses),
    ...resourceExcesses(subject),
    ...definitionsOf(subject).flatMap(({ place, text, definition }) => [
      ...atMost(place, 'bytes of the definition', Buffer.byteLength(text), MAX_DEFINITION_BYTES),
      ...stateExcesses(place, definition),
    ]),
    ...policyExcesses(subject),
  ];
}

export const limits: Check = { name: 'limits', find: excesses };

function templateExcesses({ path, name, file, template }: SynthesizedTemplate): Finding[] {
  const sizeOf = (section: Json | undefined): number => Object.keys(section ?? {}).length;
  return [
    ...atMost(path, "characters of the stack's name", name.length, quotas.MAX_STACK_NAME_CHARACTERS),
    ...atMost(path, 'bytes of the template', fs.statSync(file).size, MAX_TEMPLATE_BYTES),
    ...atMost(path, 'resources', sizeOf(template.Resources), MAX_STACK_RESOURCES),
    ...atMost(path, 'outputs', sizeOf(template.Outputs), quotas.MAX_OUTPUTS),
    ...atMost(path, 'parameters', sizeOf(template.Parameters), quotas.MAX_PARAMETERS),
  ];
}

function resourceExcesses({ templates, resolved }: Templates): Finding[] {
  return templates.flatMap((template) =>
    resourcesOf(template).flatMap(({ logicalId, type, properties }) => {
      const place = `${template.path}/${logicalId}`;
      const read = (name: string): Json => resolved.resolve(template, properties[name] ?? null);
      const texts = Object.entries(quotas.MAX_TEXT_CHARACTERS[type] ?? {}).flatMap(([name, limit]) => {
        const text = read(name);
        return typeof text === 'string' ? atMost(place, `characters of ${name}`, text.length, limit) : [];
      });
      const id = atMost(
        place,
        'characters of the logical id',
        logicalId.length,
        quotas.MAX_LOGICAL_ID_CHARACTERS,
      );
      return [...id, ...texts, ...contentExcesses(place, type, read)];
    }),
  );
}

function contentExcesses(place: string, type: string, read: (name: string) => Json): Finding[] {
  const bytesOf = (value: Json): number => Buffer.byteLength(JSON.stringify(value));
  switch (type) {
    case 'AWS::Lambda::Function': {
      const environment = read('Environment');
      const variables = (isJsonObject(environment) ? environment.Variables : undefined) ?? {};
      return atMost(place, 'bytes of the environment', bytesOf(variables), MAX_LAMBDA_ENVIRONMENT_BYTES);
    }
    case 'AWS::S3::BucketPolicy':
    case 'AWS::S3Express::BucketPolicy':
      return atMost(
        place,
        'bytes of the policy',
        bytesOf(read('PolicyDocument')),
        quotas.MAX_BUCKET_POLICY_BYTES,
      );
    case 'AWS::KMS::Key':
      return atMost(place, 'bytes of the policy', bytesOf(read('KeyPolicy')), quotas.MAX_KEY_POLICY_BYTES);
    case 'AWS::CloudWatch::Dashboard': {
      const { widgets = [] } = JSON.parse(read('DashboardBody') as string) as {
        readonly widgets?: readonly { readonly properties?: { readonly metrics?: readonly Json[] } }[];
      };
      const counts = widgets.map(({ properties }) => properties?.metrics?.length ?? 0);
      const all = counts.reduce((sum, count) => sum + count, 0);
      return [
        ...atMost(place, 'metrics of a widget', Math.max(0, ...counts), quotas.MAX_WIDGET_METRICS),
        ...atMost(place, 'metrics of the dashboard', all, quotas.MAX_DASHBOARD_METRICS),
      ];
    }
    default:
      return [];
  }
}

/** Lengths of the names of states and of the variables that they and their catches assign, also in branches. */
function stateExcesses(place: string, { States = {} }: JsonObject): Finding[] {
  return Object.entries(States as Readonly<Record<string, JsonObject>>).flatMap(([name, state]) => {
    const own = `${place}/${name}`;
    const assigned = [state, ...objectsOf(state.Catch)].flatMap(({ Assign }) => Object.keys(Assign ?? {}));
    return [
      ...atMost(own, "characters of a state's name", name.length, quotas.MAX_STATE_NAME_CHARACTERS),
      ...assigned.flatMap(({ length }) =>
        atMost(own, "characters of a variable's name", length, quotas.MAX_VARIABLE_NAME_CHARACTERS),
      ),
      ...objectsOf(state.Branches).flatMap((branch) => stateExcesses(place, branch)),
    ];
  });
}

function objectsOf(value: Json | undefined): JsonObject[] {
  return value !== undefined && isJsonArray(value) ? value.filter(isJsonObject) : [];
}
