/** Sizes and numbers against the quotas of AWS: of templates as CDK wrote them, and of values as the services get them. */
import { checkOf, type Finding } from '../../check';
import type { Templates } from '../../resolve';
import { definitionExcesses } from './definitions';
import { policyExcesses } from './policies';
import { resourceExcesses } from './resources';
import { templateExcesses } from './templates';

export function excesses(subject: Templates): Finding[] {
  return [
    ...templateExcesses(subject),
    ...resourceExcesses(subject),
    ...definitionExcesses(subject),
    ...policyExcesses(subject),
  ];
}

export const limits = checkOf('limits', excesses);
