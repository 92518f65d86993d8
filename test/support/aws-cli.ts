/** The program of the AWS CLI, which some tests need, from the variable `AWS_CLI`. It starts too slowly for each test run. */
import { spawnSync } from 'node:child_process';

/** `undefined` if there is none. Tests that need it are skipped then. */
export const AWS_CLI: string | undefined = [process.env.AWS_CLI].find(
  (program) => program !== undefined && spawnSync(program, ['--version']).status === 0,
);

if (AWS_CLI === undefined) console.info('the AWS CLI is not tested: set AWS_CLI to its program');
