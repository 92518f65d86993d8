/** Sizes and numbers against the quotas of AWS: of templates as CDK wrote them, and of values as the services get them. */
import { RegionInfo } from 'aws-cdk-lib/region-info';
import type { Json } from '../../../../local/basics/json';
import { checkOf, type Finding } from '../../check';
import { ResolvedTemplates, type SynthesizedTemplate, type Templates } from '../../resolve';
import { definitionExcesses } from './definitions';
import { policyExcesses } from './policies';
import { resourceExcesses } from './resources';
import { templateExcesses } from './templates';

/** The local cloud's ARNs are those of the partition `aws`. In other partitions they are longer. */
class InPartition extends ResolvedTemplates {
  override resolve(template: SynthesizedTemplate, value: Json): Json {
    const json = JSON.stringify(super.resolve(template, value));
    const { partition = 'aws' } = RegionInfo.get(template.environment.region);
    return JSON.parse(json.replaceAll('arn:aws:', `arn:${partition}:`)) as Json;
  }
}

export function excesses({ templates }: Templates): Finding[] {
  const subject = { templates, resolved: new InPartition(templates) };
  return [
    ...templateExcesses(subject),
    ...resourceExcesses(subject),
    ...definitionExcesses(subject),
    ...policyExcesses(subject),
  ];
}

export const limits = checkOf('limits', excesses);
