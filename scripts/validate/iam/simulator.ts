/**
 * The IAM simulator `@cloud-copilot/iam-simulate`. Its license, AGPL-3.0, keeps it out of our dependencies: it is used only
 * from a folder that the user names, or that `--install` creates outside of the repository.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import type { JsonObject } from '../../../local/basics/json';
import type { Call } from './call';

export const PACKAGE = '@cloud-copilot/iam-simulate';
const VERSION = '0.1.173';

/** Names a folder with the package in its `node_modules`. */
export const FOLDER_VARIABLE = 'SLICED_INFERENCE_IAM_SIMULATE';

/** The part of https://github.com/cloud-copilot/iam-simulate that we use. */
interface Library {
  readonly runSimulation: (simulation: object, options: object) => Promise<Result>;
}

type Result =
  | { readonly resultType: 'error'; readonly errors: { readonly message: string } }
  | { readonly resultType: 'single' | 'wildcard'; readonly overallResult: string };

/** Policies as the simulator takes them. */
export interface Policies {
  readonly identity: readonly JsonObject[];
  /** Of the bucket or the key that the call is about. */
  readonly resource?: JsonObject;
}

export type Simulate = (call: Call, policies: Policies) => Promise<boolean>;

/** Installs the package into a folder, with scripts off. */
export function installSimulator(folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${PACKAGE}@${VERSION}`];
  const { status } = spawnSync('npm', args, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm must install ${PACKAGE}, got exit code ${status}`);
}

export function loadSimulator(folder: string): Simulate {
  const { runSimulation } = createRequire(path.join(folder, 'package.json'))(PACKAGE) as Library;
  return async ({ role, action, resource, context }, { identity, resource: resourcePolicy }) => {
    const result = await runSimulation(
      {
        request: {
          principal: role,
          action,
          resource: { resource, accountId: role.split(':')[4] },
          contextVariables: context,
        },
        identityPolicies: identity.map((policy, index) => ({ name: `policy-${index}`, policy })),
        serviceControlPolicies: [],
        resourceControlPolicies: [],
        ...(resourcePolicy && { resourcePolicy }),
      },
      {},
    );
    if (result.resultType === 'error')
      throw new Error(
        `the simulator cannot judge ${action} on ${resource}: ${JSON.stringify(result.errors)}`,
      );
    return result.overallResult === 'Allowed';
  };
}
