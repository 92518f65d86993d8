/**
 * Gives a mutated plan to the library, as an app does: reads it, cuts a model by it or synthesizes a stack with it. Checks that
 * the library writes into the cloud assembly only, and that the policies get no wildcard that those of the valid plan lack.
 */
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
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
import { timeAhead } from '../../support/inference/file-age';
import { type CaseEnd, endOf } from '../case';
import type { PlanSettings } from './plan-cases';

// No file changes after the library has read it.
Date.now = timeAhead;

const app = fs.mkdtempSync(path.join(os.tmpdir(), 'plan-app-'));
const outdir = path.join(app, 'cdk.out');

const analyzed = new Map<string, AnalyzedModel>();
const allowed = new Map<string, ReadonlySet<string>>();

const SOURCES = {
  fromBucket: (stack: Stack, planPath: string): SlicedModel =>
    SlicedModel.fromBucket(s3.Bucket.fromBucketName(stack, 'Models', 'models'), 'ocr', planPath),
  fromDirectory: (_: Stack, planPath: string): SlicedModel =>
    SlicedModel.fromDirectory(path.dirname(planPath)),
};

export function runCase(planPath: string, { base, way }: PlanSettings): CaseEnd {
  const folder = path.join(path.dirname(planPath), base);
  const [beside, valid] = ['slices/plan.json', 'valid-plan.json'].map((name) => path.join(folder, name));
  if (!fs.existsSync(valid)) fs.copyFileSync(beside, valid);
  fs.copyFileSync(valid, beside);
  if (way === 'fromPlan') {
    return endOf(() => {
      cut(planPath, path.join(folder, 'model.onnx'));
    });
  }
  const policies =
    allowed.get(base) ??
    new Set(Object.values(SOURCES).flatMap((source) => wildcardsIn(synthesized(beside, source))));
  allowed.set(base, policies);
  return endOf(() => {
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

/** Returns the template of a stack with the plan. */
function synthesized(planPath: string, source: (stack: Stack, planPath: string) => SlicedModel): object {
  const stack = new Stack(new App({ outdir, analyticsReporting: false }), 'Stack');
  const stop = watchWrites();
  try {
    const pipeline = new SlicedInferencePipeline(stack, 'Pipeline', { slicedModel: source(stack, planPath) });
    const template = Template.fromStack(stack).toJSON();
    checkWritten(pipeline.planPath, planPath);
    return template;
  } finally {
    stop();
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

/** Functions that change files, and those of them that change what their second argument names. */
const CHANGES =
  /^(append|chmod|copy|cp|link|mkdir|mkdtemp|open|rename|rm|symlink|truncate|unlink|utimes|write)\w*Sync$/;
const TO_SECOND = /^(copy|cp|link|rename|symlink)/;

/**
 * Replaces the functions of Node.js that change files by ones that also record the paths.
 * @returns a function that ends this, and throws if a file outside of the cloud assembly was changed
 */
function watchWrites(): () => void {
  // The module object itself: an `import` of this file would be a copy.
  const module = createRequire(__filename)('node:fs') as Record<string, (...args: unknown[]) => unknown>;
  const originals = Object.entries(module).filter(([name]) => CHANGES.test(name));
  const outside: string[] = [];
  for (const [name, original] of originals) {
    module[name] = (...args) => {
      const isRead = name === 'openSync' && (args[1] === undefined || args[1] === 'r');
      const changed = TO_SECOND.test(name) ? args.slice(name === 'renameSync' ? 0 : 1, 2) : args.slice(0, 1);
      // A file descriptor was opened by a path that was recorded.
      const files = changed
        .filter((file) => typeof file !== 'number')
        .map((file) => path.resolve(String(file)));
      const isOutside = (file: string): boolean => !`${file}${path.sep}`.startsWith(`${outdir}${path.sep}`);
      if (!isRead) outside.push(...files.filter(isOutside));
      return original(...args);
    };
  }
  return () => {
    Object.assign(module, Object.fromEntries(originals));
    outside.push(...fs.readdirSync(app).filter((name) => name !== path.basename(outdir)));
    if (outside.length > 0) throw new Error(`a change outside of the cloud assembly: ${outside.join(', ')}`);
  };
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
