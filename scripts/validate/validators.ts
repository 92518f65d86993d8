/** The validators of others: of templates, of the definitions of state machines as Step Functions gets them, and of good practice. */
import { createRequire } from 'node:module';
import { getLanguageService, TextDocument } from 'amazon-states-language-service';
import { Stack } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks } from 'cdk-nag';
import type { Check, Finding, SynthesizedCase } from './synthesize';
import { unassignedVariables, type StateMachineDefinition } from '../../test/support/unassigned-variables';
import { definitionsOf, type ResolvedDefinition } from './resolve';
import { SlicedInferenceAlarms, SlicedInferenceDashboard, SlicedInferencePipeline } from '../../lib/index';
import { HARDENED_REASONS, nagFindings, reasonFor } from '../../test/support/nag-findings';

/** CDK's name of the validation. Other plugins of the report are not about CloudFormation. */
const PLUGIN = 'CloudFormation Validate';

export const cloudFormation: Check = {
  name: 'CloudFormation',
  find: ({ report }) => {
    if (report === undefined)
      throw new Error('CDK must validate the templates, got no report: unset CDK_VALIDATION');
    return report.pluginReports
      .filter(({ pluginName }) => pluginName === PLUGIN)
      .flatMap(({ violations }) => violations)
      .flatMap(({ ruleName, description, violatingConstructs }) =>
        violatingConstructs.map(({ constructPath: place }) => ({
          place,
          message: `${ruleName} ${description}`,
        })),
      );
  },
};

// The package has no types that TypeScript finds.
const validate = createRequire(__filename)('asl-validator') as (definition: unknown) => {
  isValid: boolean;
  errorsText: (separator: string) => string;
};
const service = getLanguageService({});

function definitionCheck(
  name: string,
  find: (definition: ResolvedDefinition) => readonly string[] | Promise<readonly string[]>,
): Check {
  return {
    name,
    find: async (subject) => {
      const all = definitionsOf(subject).map(async (definition) => {
        const messages = await find(definition);
        return messages.map((message) => ({ place: definition.place, message }));
      });
      return (await Promise.all(all)).flat();
    },
  };
}

/** Targets, reachable states, ARNs and the syntax of JSONata. */
export const aslValidator = definitionCheck('asl-validator', ({ definition }) => {
  // The validator modifies its argument.
  const { isValid, errorsText } = validate(structuredClone(definition));
  return isValid ? [] : errorsText('\n').split('\n');
});

/** The language service of AWS's editors, whose diagnostics count as errors. */
export const languageService = definitionCheck('language service', async ({ definition }) => {
  const text = JSON.stringify(definition, undefined, 1);
  const document = TextDocument.create('file:///definition.asl.json', 'json', 1, text);
  const found = await service.doValidation(document, service.parseJSONDocument(document));
  return found.map(({ message, range: { start } }) => {
    const line = text.split('\n').at(start.line) ?? '';
    const what = typeof message === 'string' ? message : message.value;
    return `line ${start.line + 1}, ${line.trim()}: ${what}`;
  });
});

/** Variables that an execution may read before it assigns them, which no other validator finds. */
export const variables = definitionCheck('variables', ({ definition }) =>
  unassignedVariables(definition as unknown as StateMachineDefinition).map(
    (variable) => `${variable} may be read before it is assigned`,
  ),
);

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
