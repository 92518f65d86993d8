/** `npm run validate`: synthesizes a representative set of stacks and runs all validators that this machine has on them. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command } from 'commander';
import { aslValidator } from './checks/asl-validator';
import { cfnLint } from './checks/cfn-lint';
import { cloudFormation } from './checks/cloudformation';
import { iamSimulator } from './checks/iam-simulator';
import { languageService } from './checks/language-service';
import { limits } from './checks/limits/limits';
import { localStack } from './checks/localstack';
import { nag } from './checks/nag';
import { variables } from './checks/variables';
import { FOLDER_VARIABLE, installSimulator } from './iam/simulator';
import { runChecks } from './report';
import { STACKS, writeModels } from './stacks';
import { synthesizeCase } from './synthesize';

interface Options {
  readonly stack?: string;
  readonly install?: true;
}

async function main({ stack = '', install }: Options): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-validate-'));
  process.env.SLICED_INFERENCE_CACHE = path.join(folder, 'cache');
  // CDK must validate the templates.
  delete process.env.CDK_VALIDATION;
  try {
    const start = performance.now();
    const models = writeModels(folder);
    const cases = STACKS.filter(({ name }) => name.includes(stack)).map((stackCase, index) =>
      synthesizeCase(stackCase, models, path.join(folder, `cdk.out-${index}`)),
    );
    if (cases.length === 0)
      throw new Error(`no stack has '${stack}' in its name: see scripts/validate/stacks.ts`);
    printTime('synthesis', (performance.now() - start) / 1000);
    const simulator = install ? path.join(folder, 'iam-simulate') : process.env[FOLDER_VARIABLE];
    if (install && simulator !== undefined) installSimulator(simulator);
    const checks = [
      cloudFormation,
      nag,
      aslValidator,
      languageService,
      variables,
      limits,
      cfnLint,
      iamSimulator(simulator),
      localStack,
    ];
    const { text, findings } = await runChecks(cases, checks, printTime);
    process.stdout.write(`${text}\n${cases.length} stacks, ${findings} findings\n`);
    if (findings > 0) process.exitCode = 1;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function printTime(what: string, seconds: number): void {
  process.stdout.write(`${what}: ${seconds.toFixed(1)} s\n`);
}

new Command('validate')
  .description(
    'Validates the templates of a representative set of stacks. Exit code 1: a validator found something.',
  )
  .option('--stack <text>', 'only stacks with this text in their names')
  .option('--install', 'install the IAM simulator (AGPL-3.0) into a temporary folder, and use it')
  .action(main)
  .parse();
