/**
 * `npm run validate`: the validators of others find nothing in representative stacks: CDK's validation of CloudFormation templates,
 * cdk-nag, and of the state machines asl-validator and the language service of AWS's editors. Prints the sizes of both beside their limits.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { getLanguageService, TextDocument } from 'amazon-states-language-service';
import { Stack, Stage } from 'aws-cdk-lib';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { MAX_DEFINITION_CHARACTERS } from '../../../client/description/pipeline-description';
import {
  SlicedInferenceAlarms,
  SlicedInferenceBatch,
  SlicedInferenceDashboard,
  SlicedInferencePipeline,
} from '../../../lib';
import { deployedLength } from '../../../lib/aws/deployed-length';
import { ACKNOWLEDGED, nagFindings, reasonFor } from '../../support/nag-findings';
import {
  type StateMachineDefinition,
  definitionOf,
  newApp,
  shortTemplate,
} from '../../support/pipeline-stack';
import { RECOMMENDED, STACKS, STRICT } from './stacks';

const { CDK_VALIDATION } = process.env;
beforeAll(() => {
  delete process.env.CDK_VALIDATION;
});
afterAll(() => {
  process.env.CDK_VALIDATION = CDK_VALIDATION;
});

/** As CDK counts: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const MAX_TEMPLATE_BYTES = 1_000_000;

function checkSize(what: string, bytes: number, most: number): void {
  process.stdout.write(`${bytes} of ${most} bytes, ${((100 * bytes) / most).toFixed(1)}%: ${what}\n`);
  expect(bytes).toBeLessThanOrEqual(most);
}

/** Of the template, and of the definitions with the longest values of what only the deployment knows. */
function checkSizes(name: string, stack: Stack): void {
  const template = join(Stage.of(stack)?.outdir ?? '', stack.templateFile);
  checkSize(`template of ${stack.node.path}, ${name}`, fs.statSync(template).size, MAX_TEMPLATE_BYTES);
  for (const machine of stack.node.findAll()) {
    if (!(machine instanceof CfnStateMachine) || Stack.of(machine) !== stack) continue;
    const { most } = deployedLength(stack, machine.definitionString);
    checkSize(`definition of ${machine.node.path}, ${name}`, most, MAX_DEFINITION_CHARACTERS);
  }
}

type AslValidator = (definition: unknown) => { errorsText: () => string };
const validate = jest.requireActual<AslValidator>('asl-validator');
const service = getLanguageService({});

/** By state machine. */
function definitionsIn(stack: Stack): [string, StateMachineDefinition][] {
  const template = shortTemplate(stack);
  const machines = Object.keys(template.resources('AWS::StepFunctions::StateMachine'));
  return machines.map((path) => [path, definitionOf(template, path)]);
}

async function diagnostics(definition: StateMachineDefinition): Promise<string[]> {
  const text = JSON.stringify(definition, undefined, 1);
  const document = TextDocument.create('file:///definition.asl.json', 'json', 1, text);
  const found = await service.doValidation(document, service.parseJSONDocument(document));
  return found.map(({ message, range: { start } }) => {
    const what = typeof message === 'string' ? message : message.value;
    return `${text.split('\n')[start.line]}: ${what}`;
  });
}

/** The reasons of the findings in all stacks. */
const explained = new Set<string | undefined>();

/** Findings of cdk-nag in constructs of this package. The rest of a stack belongs to the user. */
function unexplained(stack: Stack): string[] {
  const own = stack.node
    .findAll()
    .filter((construct) =>
      [SlicedInferencePipeline, SlicedInferenceBatch, SlicedInferenceAlarms, SlicedInferenceDashboard].some(
        (type) => construct instanceof type,
      ),
    )
    .map(({ node }) => `${node.path}/`);
  return nagFindings(new AwsSolutionsChecks(), stack).flatMap(({ path, rule }) => {
    const owner = own.find((prefix) => path.startsWith(prefix));
    if (owner === undefined) return [];
    const reason = reasonFor(path.slice(owner.length), rule.replace('AwsSolutions-', ''));
    explained.add(reason);
    return reason === undefined ? [`${path}: ${rule}`] : [];
  });
}

// The flags take turns: all that CDK recommends for new apps, or none as in an old app.
const cases = Object.entries(STACKS).map(
  ([name, fill], index) => [name, index % 2 === 0 ? {} : RECOMMENDED, fill] as const,
);

test.each(cases)('%s', async (name, flags, fill) => {
  const app = newApp({ ...flags, ...STRICT });
  fill(app);
  // Throws if a template is not valid.
  app.synth();
  for (const stack of app.node.findAll().filter(Stack.isStack)) {
    if (stack.nestedStackParent === undefined) expect(unexplained(stack)).toEqual([]);
    checkSizes(name, stack);
    for (const [path, definition] of definitionsIn(stack)) {
      // The validator modifies its argument.
      expect([path, validate(structuredClone(definition)).errorsText()]).toEqual([path, '']);
      expect([path, await diagnostics(definition)]).toEqual([path, []]);
      // Names of states and variables: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
      expect(JSON.stringify(definition)).not.toMatch(/"[^"\\]{81,}":/);
    }
  }
});

test('each reason has a finding', () => {
  expect(explained).toEqual(new Set(ACKNOWLEDGED.map(({ reason }) => reason)));
});
