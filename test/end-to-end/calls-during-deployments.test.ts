/**
 * Both clients call a pipeline while other models with other numbers of slices are deployed: no call fails, and no result mixes two models.
 * `DEPLOYMENT_CALLS=400 DEPLOYMENTS=4 npx jest test/end-to-end/calls-during` is the long run, with so many calls of each client and type.
 */
import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { variables } from '../../bin/local-cloud/variables';
import { InferenceError } from '../../client';
import { Slicing } from '../../lib';
import type { LocalCloud } from '../../local';
import { clientOf } from '../support/client-of-cloud';
import { start, synthesize } from '../support/deployed-pipeline';
import { mlp, retrained, saveModel } from '../support/model-builder';
import { hasPackages, PYTHON, PYTHON_CLIENT, PYTHON_CLIENT_PACKAGES } from '../support/python';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';

const { DEPLOYMENT_CALLS, DEPLOYMENTS = '2' } = process.env;
const CALLS = Number(DEPLOYMENT_CALLS ?? 16);
/** Of each client. */
const AT_A_TIME = DEPLOYMENT_CALLS === undefined ? 2 : 4;

const MODELS = [mlp(3), retrained(mlp(3)), mlp(4), retrained(mlp(4)), mlp(5)]
  .slice(0, Number(DEPLOYMENTS) + 1)
  .map((model) => saveModel(model));
/** A model of fewer slices needs fewer functions, and its slices read and write other objects. */
const SLICES = [3, 3, 2, 4, 2];

/** How a call ended. `calls.py` prints the same. */
interface Ended {
  readonly seed: number;
  readonly restarts: number;
  readonly error?: string;
  readonly deploymentDigest?: string;
  /** The elements, as base64. */
  readonly y?: string;
}

/** Exact in float32, so that both languages make the same. */
function input(seed: number) {
  const elements = Array.from({ length: 16 }, (_, at) => ((7 * at + 13 * seed) % 32) / 16 - 1);
  return new Map([['x', float32([1, 16], elements)]]);
}

function base64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64');
}

type Add = (ended: Ended) => void;

async function callFromTypeScript(cloud: LocalCloud, add: Add): Promise<void> {
  const model = clientOf(cloud);
  let next = 0;
  const call = async (seed: number): Promise<void> => {
    let restarts = 0;
    const onProgress = ({ event }: { readonly event: string }): void => {
      if (event === 'restarted') restarts++;
    };
    try {
      const { outputs, deploymentDigest } = await model.infer(
        { x: input(seed).get('x') as never },
        { onProgress },
      );
      add({ seed, restarts, deploymentDigest, y: base64(outputs.y.data as Float32Array) });
    } catch (error) {
      if (!(error instanceof InferenceError)) throw error;
      add({ seed, restarts, error: `${error.name}: ${error.message}` });
    }
  };
  const worker = async (): Promise<void> => {
    while (next < CALLS) await call(next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

async function callFromPython(cloud: LocalCloud, add: Add): Promise<void> {
  const args = [path.join(__dirname, 'calls.py'), String(CALLS), String(AT_A_TIME)];
  const env = {
    ...{ PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: path.join(PYTHON_CLIENT, 'src') },
    ...variables(cloud, {}),
    STATE_MACHINE_ARN: cloud.pipeline.stateMachineArn,
  };
  const child = spawn(PYTHON, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) add(JSON.parse(line) as Ended);
}

const clients = [callFromTypeScript, ...(hasPackages(...PYTHON_CLIENT_PACKAGES) ? [callFromPython] : [])];

describe.each([
  [sfn.StateMachineType.EXPRESS, true],
  [sfn.StateMachineType.STANDARD, false],
])('while models are deployed to a pipeline of type %s', (stateMachineType, tensorsInState) => {
  it(`${CALLS} calls of each client return results of one model`, async () => {
    const assemblies = MODELS.map((model, index) =>
      synthesize(model, () => ({
        ...{ slicing: Slicing.count(SLICES[index]), dimensions: { batch: 1 } },
        ...{ stateMachineType, tensorsInState },
      })),
    );
    const cloud = await start(assemblies[0], { retryPauses: 0.05, updateLagMs: 1500 });
    const ended: Ended[] = [];
    let deployed = 1;
    let deployment = Promise.resolve();
    const add = (one: Ended): void => {
      ended.push(one);
      if (deployed === MODELS.length || ended.length < (deployed * clients.length * CALLS) / MODELS.length) {
        return;
      }
      const next = assemblies[deployed++];
      deployment = deployment.then(async () => {
        await cloud.deploy(next);
        // Runs of the earlier model that have begun go on in functions that start cold.
        await cloud.endIdleSandboxes();
      });
    };
    await Promise.all(clients.map((call) => call(cloud, add)));
    await deployment;
    const restarts = ended.reduce((sum, one) => sum + one.restarts, 0);
    if (DEPLOYMENT_CALLS !== undefined)
      console.info(`${stateMachineType}: ${ended.length} calls, ${restarts} restarts`);

    expect(ended.flatMap(({ error }) => error ?? [])).toEqual([]);
    expect(ended).toHaveLength(clients.length * CALLS);
    expect(await mixed(ended)).toEqual([]);
    expect(restarts).toBeGreaterThan(0);
  });
});

/** The results that are not those of ONNX Runtime on the whole model, which is the same for all results of a deployment. */
async function mixed(ended: readonly Ended[]): Promise<Ended[]> {
  const wrong: Ended[] = [];
  const modelOf = new Map<string | undefined, string>();
  for (const one of ended) {
    const { seed, deploymentDigest, y } = one;
    const known = modelOf.get(deploymentDigest);
    let fits: string | undefined;
    for (const model of known === undefined ? MODELS : [known]) {
      const whole = (await runWhole(model, input(seed))).get('y');
      if (whole?.dtype === 'float32' && base64(whole.bytes) === y) fits = model;
    }
    if (fits === undefined) wrong.push(one);
    else modelOf.set(deploymentDigest, fits);
  }
  expect(new Set(modelOf.values()).size).toBe(modelOf.size);
  return wrong;
}
