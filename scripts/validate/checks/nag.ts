/** The packs of cdk-nag: findings on our resources that `test/support/nag-findings.ts` has no reason for. */
import { Stack } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks } from 'cdk-nag';
import { SlicedInferenceAlarms, SlicedInferenceDashboard, SlicedInferencePipeline } from '../../../lib';
import { HARDENED_REASONS, nagFindings, reasonFor } from '../../../test/support/nag-findings';
import type { Check, Finding, SynthesizedCase } from '../synthesize';

const OWN = [SlicedInferencePipeline, SlicedInferenceAlarms, SlicedInferenceDashboard];

function violations({ app, hardened, chosen }: SynthesizedCase): Finding[] {
  const constructs = app.node.findAll();
  const own = constructs
    .filter((construct) => OWN.some((type) => construct instanceof type))
    .map(({ node }) => `${node.path}/`);
  const stacks = constructs.filter((each) => Stack.isStack(each) && each.nestedStackParent === undefined);
  const findings = (pack: string, checks: Parameters<typeof nagFindings>[0], explain: typeof reasonFor) =>
    stacks
      .flatMap((stack) => nagFindings(checks, stack))
      .flatMap(({ path, rule, description }) => {
        const owner = own.find((prefix) => path.startsWith(prefix));
        // The rest of the stack belongs to the user.
        if (owner === undefined) return [];
        const name = rule.replace(`${pack}-`, '');
        const isExplained = chosen.includes(name) || explain(path.slice(owner.length), name) !== undefined;
        return isExplained ? [] : [{ place: path, message: `${rule}: ${description}` }];
      });
  const byRule: typeof reasonFor = (_, rule) => HARDENED_REASONS[rule];
  const solutions = findings('AwsSolutions', new AwsSolutionsChecks(), reasonFor);
  if (!hardened) return solutions;
  return [
    ...solutions,
    ...findings('NIST.800.53.R5', new NIST80053R5Checks(), byRule),
    ...findings('HIPAA.Security', new HIPAASecurityChecks(), byRule),
  ];
}

export const nag: Check = { name: 'cdk-nag', find: violations };
