/**
 * Gives a mutated plan to the library, as an app does: reads it, cuts a model by it or synthesizes a stack with it. Checks that
 * the library writes into the cloud assembly only, and that the policies get no wildcard that those of the valid plan lack.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { SlicedInferenceError } from '../../../lib/errors';
import { SlicedInferencePipeline } from '../../../lib/pipeline/sliced-inference-pipeline';
import { SlicedModel } from '../../../lib/pipeline/sliced-model';
import { fromPlan } from '../../../lib/plan/slicing';
import { readPlan } from '../../../lib/compile/plan-file';
import { planText } from '../../../lib/emit/write';
import { timeAhead } from '../../support/inference/file-age';
import type { CaseEnd } from '../fuzz-process';
import { checkMessage } from '../message';
import { watchWrites } from './watch-writes';
import { planChoice } from './plan-cases';
import { wildcards } from './wildcards';

// No file changes after the library has read it.
Date.now = timeAhead;

const app = fs.mkdtempSync(path.join(os.tmpdir(), 'plan-app-'));
const outdir = path.join(app, 'cdk.out');
const CDK_JSON = '{"app":"node app.js"}';
fs.writeFileSync(path.join(app, 'cdk.json'), CDK_JSON);

const analyzed = new Map<string, AnalyzedModel>();
const allowed = new Map<string, ReadonlySet<string>>();

export function runCase(planPath: string, choice: number): CaseEnd {
  const { base, way } = planChoice(choice);
  const folder = path.join(path.dirname(planPath), base);
  const slices = path.join(folder, 'slices');
  const valid = path.join(folder, 'valid-plan.json');
  if (fs.existsSync(valid)) fs.copyFileSync(valid, path.join(slices, 'plan.json'));
  else fs.copyFileSync(path.join(slices, 'plan.json'), valid);
  if (way === 'fromPlan') {
    return ended(() => {
      cut(planPath, path.join(folder, 'model.onnx'), base);
    });
  }
  const sources: Record<string, (plan: string) => ModelIn> = {
    fromBucket: inBucket,
    fromDirectory: () => inFolder(slices),
  };
  const policies =
    allowed.get(base) ??
    new Set(Object.values(sources).flatMap((of) => wildcards(synthesized(valid, of(valid)))));
  allowed.set(base, policies);
  return ended(() => {
    fs.copyFileSync(planPath, path.join(slices, 'plan.json'));
    const extra = wildcards(synthesized(planPath, sources[way](planPath))).find((own) => !policies.has(own));
    if (extra !== undefined) throw new Error(`a policy with ${extra}`);
  });
}

type ModelIn = (stack: Stack) => SlicedModel;

function inBucket(planPath: string): ModelIn {
  return (stack) =>
    SlicedModel.fromBucket(s3.Bucket.fromBucketName(stack, 'Models', 'models'), 'ocr', planPath);
}

function inFolder(folder: string): ModelIn {
  return () => SlicedModel.fromDirectory(folder);
}

/** Cuts the model as the plan says, and writes nothing. */
function cut(planPath: string, modelPath: string, base: string): void {
  const plan = readPlan(planPath);
  const model = analyzed.get(base) ?? analyzeModel(modelPath);
  analyzed.set(base, model);
  compileAnalyzed(model, fromPlan(plan, planPath));
}

/** Returns the template of a stack with the plan. */
function synthesized(planPath: string, modelIn: ModelIn): object {
  const stack = new Stack(new App({ outdir, analyticsReporting: false }), 'Stack');
  const writes = watchWrites(outdir);
  try {
    const pipeline = new SlicedInferencePipeline(stack, 'Pipeline', { slicedModel: modelIn(stack) });
    const template = Template.fromStack(stack).toJSON();
    checkWritten(pipeline.planPath, planPath);
    return template;
  } finally {
    writes.stop();
    checkApp(writes.outside);
  }
}

/** The file in the cloud assembly is what was checked, not a copy of the file that was read. */
function checkWritten(written: string, planPath: string): void {
  if (path.dirname(path.resolve(written)) !== outdir) throw new Error(`a plan at ${written}`);
  const text = fs.readFileSync(written, 'utf8');
  if (text !== planText(readPlan(planPath)))
    throw new Error('a written plan that differs from the checked one');
  fs.rmSync(written);
}

function checkApp(outside: readonly string[]): void {
  if (outside.length > 0) throw new Error(`a change outside of the cloud assembly: ${outside.join(', ')}`);
  const entries = fs.readdirSync(app).filter((name) => name !== 'cdk.out');
  const isSame =
    entries.join() === 'cdk.json' && fs.readFileSync(path.join(app, 'cdk.json'), 'utf8') === CDK_JSON;
  if (!isSame) throw new Error(`a changed folder of the app: ${entries.join(', ')}`);
}

function ended(action: () => void): CaseEnd {
  try {
    action();
    return { outcome: 'accepted', message: '', waitedMs: 0 };
  } catch (error) {
    if (!(error instanceof SlicedInferenceError)) throw error;
    checkMessage(error.message);
    return { outcome: 'refused', message: error.message, waitedMs: 0 };
  }
}
