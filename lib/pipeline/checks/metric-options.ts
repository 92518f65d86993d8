/** Checks the options of metrics, which CDK defines. */
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Fields } from './check';
import { checkForeignFields, isPlain, kind, optional } from './check';
import { BOOLEAN, TEXT, duration, memberOf } from './kinds';

const DIMENSIONS = kind('an object of names and values', isPlain, "pass { Stage: 'beta' }, for example");

const METRIC_OPTIONS: Fields<cloudwatch.MetricOptions> = {
  period: optional(duration('minutes', 5)),
  statistic: optional(TEXT),
  dimensionsMap: optional(DIMENSIONS),
  unit: optional(memberOf('cloudwatch.Unit', cloudwatch.Unit)),
  label: optional(TEXT),
  color: optional(TEXT),
  account: optional(TEXT),
  region: optional(TEXT),
  stackAccount: optional(TEXT),
  stackRegion: optional(TEXT),
  id: optional(TEXT),
  visible: optional(BOOLEAN),
};

/**
 * @param method names the method in errors
 * @returns the options
 */
export function metricOptions(
  options: cloudwatch.MetricOptions | undefined,
  method: string,
): cloudwatch.MetricOptions | undefined {
  if (options !== undefined) {
    checkForeignFields(options, METRIC_OPTIONS, {
      where: `the options of ${method}`,
      prefix: '',
      example: "{ statistic: 'p99' }",
    });
  }
  return options;
}
