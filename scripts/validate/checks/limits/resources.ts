/** Lengths of names and descriptions, and sizes of what a resource holds. */
import { MAX_LAMBDA_ENVIRONMENT_BYTES } from '../../../../lib/aws/quotas';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../../../local/basics/json';
import type { Finding } from '../../check';
import {
  MAX_BUCKET_POLICY_BYTES,
  MAX_DASHBOARD_METRICS,
  MAX_KEY_POLICY_BYTES,
  MAX_LOGICAL_ID_CHARACTERS,
  MAX_TEXT_CHARACTERS,
  MAX_WIDGET_METRICS,
} from '../../quotas';
import { resourcesOf, type Templates } from '../../resolve';
import { atMost } from './at-most';

export function resourceExcesses({ templates, resolved }: Templates): Finding[] {
  return templates.flatMap((template) =>
    resourcesOf(template).flatMap(({ logicalId, type, properties }) => {
      const place = `${template.path}/${logicalId}`;
      const read = (name: string): Json | undefined => {
        const value = properties[name];
        return value === undefined ? undefined : resolved.resolve(template, value);
      };
      return [
        ...atMost(place, 'characters of the logical id', logicalId.length, MAX_LOGICAL_ID_CHARACTERS),
        ...Object.entries(MAX_TEXT_CHARACTERS[type] ?? {}).flatMap(([name, limit]) => {
          const text = read(name);
          return typeof text === 'string' ? atMost(place, `characters of ${name}`, text.length, limit) : [];
        }),
        ...contentExcesses(place, type, read),
      ];
    }),
  );
}

function contentExcesses(place: string, type: string, read: (name: string) => Json | undefined): Finding[] {
  switch (type) {
    case 'AWS::Lambda::Function': {
      const environment = read('Environment');
      const bytes = isJsonObject(environment) ? bytesOf(environment.Variables) : 0;
      return atMost(place, 'bytes of the environment', bytes, MAX_LAMBDA_ENVIRONMENT_BYTES);
    }
    case 'AWS::S3::BucketPolicy':
    case 'AWS::S3Express::BucketPolicy':
      return atMost(place, 'bytes of the policy', bytesOf(read('PolicyDocument')), MAX_BUCKET_POLICY_BYTES);
    case 'AWS::KMS::Key':
      return atMost(place, 'bytes of the policy', bytesOf(read('KeyPolicy')), MAX_KEY_POLICY_BYTES);
    case 'AWS::CloudWatch::Dashboard':
      return dashboardExcesses(place, read('DashboardBody'));
    default:
      return [];
  }
}

function bytesOf(value: Json | undefined): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
}

function dashboardExcesses(place: string, body: Json | undefined): Finding[] {
  const { widgets = [] } = JSON.parse(typeof body === 'string' ? body : '{}') as {
    readonly widgets?: readonly JsonObject[];
  };
  const counts = widgets.map(({ properties }) => {
    const metrics = isJsonObject(properties) ? properties.metrics : undefined;
    return metrics !== undefined && isJsonArray(metrics) ? metrics.length : 0;
  });
  const all = counts.reduce((sum, count) => sum + count, 0);
  return [
    ...atMost(place, 'metrics of a widget', Math.max(0, ...counts), MAX_WIDGET_METRICS),
    ...atMost(place, 'metrics of the dashboard', all, MAX_DASHBOARD_METRICS),
  ];
}
