/** Sizes against the quotas of AWS, of values as the services get them. The construct itself checks what its props can reach. */
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { MAX_DEFINITION_BYTES, MAX_LAMBDA_ENVIRONMENT_BYTES } from '../../../lib/aws/quotas';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../../local/json';
import { definitionsOf, ResolvedTemplates, resourcesOf, type SynthesizedTemplate } from '../resolve';
import type { Check, Finding, SynthesizedCase } from '../synthesize';
import { atMost, policyExcesses } from './policies';

/** Characters of the name of a state and of a variable: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html */
const MAX_NAME_CHARACTERS = 80;

/** Metrics of a widget of a dashboard: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html */
const MAX_WIDGET_METRICS = 500;

/** The local cloud's ARNs are those of the partition `aws`. In other partitions they are longer. */
class InPartition extends ResolvedTemplates {
  override resolve(template: SynthesizedTemplate, value: Json): Json {
    const json = JSON.stringify(super.resolve(template, value));
    const { partition = 'aws' } = RegionInfo.get(template.environment.region);
    return JSON.parse(json.replaceAll('arn:aws:', `arn:${partition}:`)) as Json;
  }
}

function excesses({ templates }: SynthesizedCase): Finding[] {
  const resolved = new InPartition(templates);
  const environments = templates.flatMap((template) =>
    resourcesOf(template, 'AWS::Lambda::Function').flatMap(({ logicalId, properties }) => {
      const environment = resolved.resolve(template, properties.Environment ?? {}) as JsonObject;
      const bytes = Buffer.byteLength(JSON.stringify(environment.Variables ?? {}));
      const place = `${template.path}/${logicalId}`;
      return atMost(place, 'bytes of the environment', bytes, MAX_LAMBDA_ENVIRONMENT_BYTES);
    }),
  );
  const dashboards = templates.flatMap((template) =>
    resourcesOf(template, 'AWS::CloudWatch::Dashboard').flatMap(({ logicalId, properties }) => {
      const { widgets = [] } = JSON.parse(resolved.text(template, properties.DashboardBody ?? null)) as {
        readonly widgets?: readonly { readonly properties?: { readonly metrics?: readonly Json[] } }[];
      };
      const most = Math.max(0, ...widgets.map((widget) => widget.properties?.metrics?.length ?? 0));
      return atMost(`${template.path}/${logicalId}`, 'metrics of a widget', most, MAX_WIDGET_METRICS);
    }),
  );
  const definitions = definitionsOf({ templates, resolved }).flatMap(({ place, text, definition }) => [
    ...atMost(place, 'bytes of the definition', Buffer.byteLength(text), MAX_DEFINITION_BYTES),
    ...stateExcesses(place, definition),
  ]);
  return [...environments, ...dashboards, ...definitions, ...policyExcesses({ templates, resolved })];
}

export const limits: Check = { name: 'limits', find: excesses };

/** Lengths of the names of states and of the variables that they and their catches assign, also in branches. */
function stateExcesses(place: string, { States = {} }: JsonObject): Finding[] {
  return Object.entries(States as Readonly<Record<string, JsonObject>>).flatMap(([name, state]) => {
    const own = `${place}/${name}`;
    const assigned = [state, ...objectsOf(state.Catch)].flatMap(({ Assign }) => Object.keys(Assign ?? {}));
    return [
      ...atMost(own, "characters of a state's name", name.length, MAX_NAME_CHARACTERS),
      ...assigned.flatMap(({ length }) =>
        atMost(own, "characters of a variable's name", length, MAX_NAME_CHARACTERS),
      ),
      ...objectsOf(state.Branches).flatMap((branch) => stateExcesses(place, branch)),
    ];
  });
}

function objectsOf(value: Json | undefined): JsonObject[] {
  return value !== undefined && isJsonArray(value) ? value.filter(isJsonObject) : [];
}
