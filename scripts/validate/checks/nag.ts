/** The packs of cdk-nag: findings on our resources that `test/support/nag-findings.ts` has no reason for. */
import { Stack, type App } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks } from 'cdk-nag';
import { SlicedInferenceAlarms, SlicedInferenceDashboard, SlicedInferencePipeline } from '../../../lib';
import { HARDENED_REASONS, nagFindings, reasonFor } from '../../../test/support/nag-findings';
import { checkOf, type Finding } from '../check';

type Explain = (path: string, rule: string) => string | undefined;

const OWN = [SlicedInferencePipeline, SlicedInferenceAlarms, SlicedInferenceDashboard];

/**
 * @param hardened whether the packs for hardened accounts apply too
 * @param chosen rules that the case breaks by a choice of its own
 */
export function nagViolations(app: App, hardened: boolean, chosen: readonly string[]): Finding[] {
  const byRule: Explain = (_, rule) => HARDENED_REASONS[rule];
  const packs: [string, Parameters<typeof nagFindings>[0], Explain][] = [
    ['AwsSolutions', new AwsSolutionsChecks(), reasonFor],
    ...(hardened
      ? ([
          ['NIST.800.53.R5', new NIST80053R5Checks(), byRule],
          ['HIPAA.Security', new HIPAASecurityChecks(), byRule],
        ] satisfies [string, Parameters<typeof nagFindings>[0], Explain][])
      : []),
  ];
  const own = app.node
    .findAll()
    .filter((construct) => OWN.some((type) => construct instanceof type))
    .map(({ node }) => `${node.path}/`);
  const stacks = app.node
    .findAll()
    .filter((construct) => Stack.isStack(construct) && construct.nestedStackParent === undefined);
  return packs.flatMap(([pack, checks, explain]) =>
    stacks
      .flatMap((stack) => nagFindings(checks, stack))
      .flatMap(({ path, rule, description }) => {
        const owner = own.find((prefix) => path.startsWith(prefix));
        // The rest of the stack belongs to the user.
        if (owner === undefined) return [];
        const name = rule.replace(`${pack}-`, '');
        const explained = chosen.includes(name) || explain(path.slice(owner.length), name) !== undefined;
        return !explained ? [{ place: path, message: `${rule}: ${description}` }] : [];
      }),
  );
}

export const nag = checkOf('cdk-nag', ({ app, hardened, chosen }) => nagViolations(app, hardened, chosen));
