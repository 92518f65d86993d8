/** `npm run validate`: synthesizes a representative set of stacks and runs all validators on them. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command } from 'commander';
import { cloudFormation, aslValidator, languageService, variables, nag } from './validators';
import { limits } from './limits';
import { STACKS, writeModels } from './stacks';
import { synthesizeCase } from './synthesize';

const CHECKS = [cloudFormation, nag, aslValidator, languageService, variables, limits];

async function main({ stack = '' }: { readonly stack?: string }): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-validate-'));
  process.env.SLICED_INFERENCE_CACHE = path.join(folder, 'cache');
  // CDK must validate the templates.
  delete process.env.CDK_VALIDATION;
  try {
    const models = writeModels(folder);
    const stacks = STACKS.filter(({ name }) => name.includes(stack));
    if (stacks.length === 0)
      throw new Error(`no stack has '${stack}' in its name: see scripts/validate/stacks.ts`);
    let found = 0;
    for (const [index, stackCase] of stacks.entries()) {
      const start = performance.now();
      const subject = synthesizeCase(stackCase, models, path.join(folder, `cdk.out-${index}`));
      const findings: string[] = [];
      for (const { name, find } of CHECKS)
        for (const { place, message } of await find(subject))
          findings.push(`  ${name}: ${place}: ${message}\n`);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      process.stdout.write(
        `${stackCase.name}: ${findings.length} findings, ${seconds} s\n${findings.join('')}`,
      );
      found += findings.length;
    }
    process.stdout.write(`${stacks.length} stacks, ${CHECKS.length} checks, ${found} findings\n`);
    if (found > 0) process.exitCode = 1;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

new Command('validate')
  .description(
    'Validates the templates of a representative set of stacks. Exit code 1: a validator found something.',
  )
  .option('--stack <text>', 'only stacks with this text in their names')
  .action(main)
  .parse();
