/** Calls of a function while deployments change its model, by both clients. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { variables } from '../../bin/local-cloud/variables';
import type { LocalCloud } from '../../local';
import { start } from '../support/deployed-pipeline';
import { cases } from '../support/full-checks';
import { functionAssembly, functionClient } from '../support/function-stack';
import { mlp, retrained, saveModel } from '../support/model-builder';
import { ownSession } from '../support/own-session';
import { hasPackages, PYTHON_CLIENT, PYTHON_CLIENT_PACKAGES, runPython } from '../support/python';
import { temporaryFolder } from '../support/temporary-folder';
import { until } from '../support/until';

const MODELS = [mlp(4), retrained(mlp(4))].map((model) => saveModel(model));

/** Answers of a client, in the order in which they came. */
interface Answer {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

const row = (seed: number) => Float32Array.from({ length: 16 }, (_, index) => Math.sin(index + seed) * 3);

/** Calls from several threads until a file appears. Prints each answer, and writes how many there are. */
const PROGRAM = `
import json, pathlib, sys, threading
import numpy as np
from sliced_inference import SlicedInferenceClient
arn, folder = sys.argv[1], pathlib.Path(sys.argv[2])
model, lock, count = SlicedInferenceClient(arn), threading.Lock(), 0
def work(worker):
    global count
    seed = worker
    while not (folder / "stop").exists():
        x = (np.sin(np.arange(16) + seed) * 3).astype(np.float32).reshape(1, 16)
        y = model.infer({"x": x}).outputs["y"]
        with lock:
            count += 1
            print(json.dumps({"x": x.ravel().tolist(), "y": y.ravel().tolist()}), flush=True)
            (folder / "next").write_text(str(count))
            (folder / "next").replace(folder / "count")
        seed += 2
threads = [threading.Thread(target=work, args=(worker,)) for worker in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
`;

interface Caller {
  readonly count: () => number;
  readonly end: () => Promise<Answer[]>;
}

function callerInJavaScript(cloud: LocalCloud): Caller {
  const client = functionClient(cloud);
  const answers: Answer[] = [];
  let isOver = false;
  const worker = async (_: unknown, index: number): Promise<void> => {
    for (let seed = index; !isOver; seed += 4) {
      const x = row(seed);
      const { outputs } = await client.infer({ x: { shape: [1, 16], data: x } });
      answers.push({ x, y: outputs.y.data as Float32Array });
    }
  };
  const working = Promise.all(Array.from({ length: 4 }, worker));
  // Awaited at the end.
  working.catch(() => undefined);
  return {
    count: () => answers.length,
    end: async () => {
      isOver = true;
      await working;
      return answers;
    },
  };
}

function callerInPython(cloud: LocalCloud): Caller {
  const folder = temporaryFolder();
  const env = { ...variables(cloud, {}), PYTHONPATH: path.join(PYTHON_CLIENT, 'src') };
  const running = runPython(['-c', PROGRAM, cloud.pipeline.stateMachineArn, folder], { env });
  running.catch(() => undefined);
  const counted = path.join(folder, 'count');
  return {
    count: () => (fs.existsSync(counted) ? Number(fs.readFileSync(counted, 'utf8')) : 0),
    end: async () => {
      fs.writeFileSync(path.join(folder, 'stop'), '');
      const lines = (await running).trim().split('\n');
      return lines.map((line) => {
        const { x, y } = JSON.parse(line) as { readonly x: number[]; readonly y: number[] };
        return { x: Float32Array.from(x), y: Float32Array.from(y) };
      });
    },
  };
}

const DEPLOYMENTS = cases(2, 4);
/** By each client, before the first deployment and after each. */
const CALLS = cases(15, 40);

test.each([
  ['JavaScript', callerInJavaScript, true],
  ['Python', callerInPython, hasPackages(...PYTHON_CLIENT_PACKAGES)],
] as const)(
  'calls from %s during deployments have the results of one of the models, and later ones those of the last',
  async (_, callerIn, canRun) => {
    if (!canRun) return;
    const assemblies = MODELS.map((modelPath) => functionAssembly({ modelPath }));
    const cloud = await start(assemblies[0]);
    const caller = callerIn(cloud);
    const further = (calls: number) => {
      const wanted = caller.count() + calls;
      return until(`${wanted} calls`, () => caller.count() >= wanted);
    };
    await further(CALLS);
    for (let deployment = 1; deployment <= DEPLOYMENTS; deployment++) {
      await cloud.deploy(assemblies[deployment % 2]);
      await further(CALLS);
    }
    const answers = await caller.end();
    const ran = await Promise.all(
      answers.map(async ({ x, y }) => {
        const both = await Promise.all(MODELS.map((model) => ownSession(model, x)));
        return both.findIndex((own) => isDeepStrictEqual(own, y));
      }),
    );
    expect(ran.length).toBeGreaterThanOrEqual(CALLS * (DEPLOYMENTS + 1));
    expect(new Set(ran)).toEqual(new Set([0, 1]));
    const last = Array.from({ length: Math.floor(CALLS / 2) }, () => DEPLOYMENTS % 2);
    expect(ran.slice(-last.length)).toEqual(last);
  },
);
