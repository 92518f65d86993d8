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
import { type AnalyzedModel, analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { readPlan } from '../../../lib/compile/files/read-plan';
import { planText } from '../../../lib/emit/write';
import { SlicedInferencePipeline } from '../../../lib/pipeline/sliced-inference-pipeline';
import { SlicedModel } from '../../../lib/pipeline/sliced-model';
import { fromPlan } from '../../../lib/plan/slicers';
import { timeAhead } from '../../support/inference/fast-analysis';
import { type Outcome, outcomeOf } from '../case';
import type { PlanSettings } from './plan-cases';

// No file changes after the library has read it.
Date.now = timeAhead;

const ROOT = fs.mkdtempSync(path.join(os.tmpdir(), 'plan-app-'));

/** So deep that the hostile paths of a plan lead into these folders. */
const folders = ['', 'a', 'a/b', 'a/b/c'].map((name) => path.join(ROOT, name));
const outdir = path.join(ROOT, 'a/b/c/cdk.out');
fs.mkdirSync(outdir, { recursive: true });

/** Where the hostile strings without a relative path lead. */
const OWNED = ['/tmp/owned', 'owned', 'C:\\Windows\\owned'];

const analyzed = new Map<string, AnalyzedModel>();
const allowed = new Map<string, ReadonlySet<string>>();

const SOURCES = {
  fromBucket: (stack: Stack, planPath: string): SlicedModel =>
    SlicedModel.fromBucket(s3.Bucket.fromBucketName(stack, 'Models', 'models'), 'ocr', planPath),
  fromDirectory: (_: Stack, planPath: string): SlicedModel =>
    SlicedModel.fromDirectory(path.dirname(planPath)),
};

export function runCase(planPath: string, { base, way }: PlanSettings): Outcome {
  const folder = path.join(path.dirname(planPath), base);
  const [beside, valid] = ['slices/plan.json', 'valid-plan.json'].map((name) => path.join(folder, name));
  if (!fs.existsSync(valid)) fs.copyFileSync(beside, valid);
  fs.copyFileSync(valid, beside);
  if (way === 'fromPlan') {
    return outcomeOf(() => {
      cut(planPath, path.join(folder, 'model.onnx'));
    });
  }
  const policies =
    allowed.get(base) ??
    new Set(Object.values(SOURCES).flatMap((source) => wildcardsIn(synthesized(beside, source))));
  allowed.set(base, policies);
  return outcomeOf(() => {
    fs.copyFileSync(planPath, beside);
    const extra = wildcardsIn(synthesized(beside, SOURCES[way])).find((own) => !policies.has(own));
    if (extra !== undefined) throw new Error(`a policy with ${extra}`);
  });
}

/** Cuts the model as the plan says, and writes nothing. */
function cut(planPath: string, modelPath: string): void {
  const plan = readPlan(planPath);
  const model = analyzed.get(modelPath) ?? analyzeModel(modelPath);
  analyzed.set(modelPath, model);
  compileAnalyzed(model, fromPlan(plan, planPath));
}

function synthesized(planPath: string, source: (stack: Stack, planPath: string) => SlicedModel): object {
  const stack = new Stack(new App({ outdir, analyticsReporting: false }), 'Stack');
  try {
    const pipeline = new SlicedInferencePipeline(stack, 'Pipeline', { slicedModel: source(stack, planPath) });
    const template = Template.fromStack(stack).toJSON();
    checkWritten(pipeline.planPath, planPath);
    return template;
  } finally {
    const isOnly = folders.every((folder) => fs.readdirSync(folder).length === 1);
    if (!isOnly || OWNED.some((file) => fs.existsSync(file)))
      throw new Error(`a file outside of the cloud assembly, below ${ROOT} or at ${OWNED.join(' or ')}`);
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

/** What IAM does not take literally: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html */
const WILDCARD = /[*?]|\$\{/;

/**
 * Returns the actions, resources and principals with a wildcard. They have neither the numbers of slices nor digests, because
 * another plan may have others.
 */
function wildcardsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const statements = ('Statement' in value ? [value.Statement].flat() : []) as Record<string, unknown>[];
  const own = statements
    .flatMap(({ Action, Resource, Principal }) => [Action, Resource, Principal].flat())
    .map((part) =>
      JSON.stringify(part ?? '')
        .replaceAll(/slice-?\d+/g, 'slice-N')
        .replaceAll(/[0-9a-f]{64}/g, 'SHA256'),
    )
    .filter((part) => WILDCARD.test(part));
  return [...own, ...Object.values(value).flatMap(wildcardsIn)];
}
