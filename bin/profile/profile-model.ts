/** Measures how long each node of a model computes: slice by slice, so that a model larger than memory can be measured. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { type AnalyzedModel, analyzeModel } from '../../lib/compile/analyze';
import type { CompiledModel } from '../../lib/emit/slice';
import { SlicedInferenceError, quoted } from '../../lib/errors';
import { onnxRuntimeVersion, packageVersion } from '../../lib/host/packages';
import type { OptimizationLevel } from '../../lib/optimize/level';
import { graphDigest } from '../../lib/plan/file/plan';
import { type DimensionSizes, usedDimensions } from '../../lib/shapes/value-types';
import type { KernelSpeeds } from '../../lib/compute-time/kernel-class';
import { type ModelProfile, PROFILE_VERSION } from '../../lib/compute-time/profile/profile';
import { median } from '../../lib/extremes';
import { runChain } from '../../local/cloud/run-chain';
import { readInputs } from '../tensor-files';
import { candidateInputs, describeInputs } from '../verify/seeded-inputs';
import { emptyModel } from './kernel-models';
import { NodeLabels } from './label-nodes';
import { type MeasuredSlice, nodeTimes, rounded } from './node-times';
import { type SliceAnswer, type SpeedAnswer, runProfileJob } from './run-profile-job';
import { cutBySize, writeLabeledSlice } from './slice-files';

type Tensors = ReadonlyMap<string, RawTensor>;

export interface ProfileOptions {
  readonly dimensions: DimensionSizes;
  readonly optimization: OptimizationLevel;
  /** File of inputs. By default, inputs are generated. */
  readonly inputs?: string;
  readonly seed: number;
  readonly threads: number;
  /** Number of measured runs, the first not counted. */
  readonly runs: number;
  readonly onStep: (step: string) => void;
}

/** A slice does not run on the inputs. */
class SliceFailure extends Error {}

/**
 * @throws SlicedInferenceError when the model is unusable or does not run
 * @throws NamedFailure `InvalidInput` when the inputs do not match the model
 */
export async function profileModel(modelPath: string, options: ProfileOptions): Promise<ModelProfile> {
  const { dimensions, optimization, onStep } = options;
  onStep(`reading ${modelPath}`);
  const analyzed = analyzeModel(modelPath, { dimensions, optimization, inputs: false });
  const compiled = cutBySize(analyzed);
  const candidates = await inputsOf(compiled, options);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-profile-'));
  try {
    return await new ProfileRun(modelPath, analyzed, compiled, options, folder).profile(candidates);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** The inputs to try in this order. */
async function inputsOf({ plan }: CompiledModel, options: ProfileOptions): Promise<Iterable<Tensors>> {
  const { inputs: specs, fixedInputs: fixed } = plan;
  const { inputs, dimensions, seed } = options;
  if (inputs === undefined) return candidateInputs({ specs, dimensions, planned: plan.dimensions, seed });
  return [await readInputs(inputs, specs, fixed)];
}

class ProfileRun {
  private readonly labels = new NodeLabels(randomBytes(8).toString('hex'));
  /** Path of the model of `emptyModel`. */
  private readonly empty: string;

  constructor(
    private readonly modelPath: string,
    private readonly analyzed: AnalyzedModel,
    private readonly compiled: CompiledModel,
    private readonly options: ProfileOptions,
    private readonly folder: string,
  ) {
    this.empty = path.join(folder, 'empty.onnx');
  }

  /** Measures with the first inputs on which the model runs. If it runs on none, reports why it fails on the first. */
  async profile(candidates: Iterable<Tensors>): Promise<ModelProfile> {
    this.options.onStep('measuring the machine');
    fs.writeFileSync(this.empty, emptyModel().model);
    const speeds = await this.speeds();
    let failure: SlicedInferenceError | undefined;
    for (const inputs of candidates) {
      try {
        const measured: MeasuredSlice[] = [];
        await runChain(this.compiled.plan, inputs, (slice, tensors) =>
          this.measureSlice(slice, tensors, measured),
        );
        return this.describe(inputs, measured, speeds);
      } catch (error) {
        if (!(error instanceof SliceFailure)) throw error;
        failure ??= this.doesNotRun(inputs, error);
      }
    }
    throw failure ?? new Error('there are no inputs to try');
  }

  /** The files of one slice are on the disk at a time. @returns its outputs */
  private async measureSlice(slice: number, tensors: Tensors, measured: MeasuredSlice[]): Promise<Tensors> {
    const { plan } = this.compiled;
    const { threads, runs, onStep } = this.options;
    const { graph } = this.analyzed.model;
    const folder = fs.mkdtempSync(path.join(this.folder, 'slice-'));
    try {
      onStep(`profiling slice ${slice + 1} of ${plan.slices.length}`);
      const { model, nodes } = writeLabeledSlice(this.compiled, slice, folder, this.labels, graph);
      const inputs = path.join(folder, 'inputs.safetensors');
      const outputs = path.join(folder, 'outputs.safetensors');
      const outputNames = plan.slices[slice].outputs.map(({ name }) => name);
      fs.writeFileSync(inputs, encodeSafetensors(tensors));
      const answer = await runProfileJob<SliceAnswer>(
        {
          ...{ kind: 'slice', model, empty: this.empty, mark: this.labels.mark },
          ...{ threads, runs, inputs, outputs, outputNames, folder },
        },
        folder,
        this.analyzed.model,
      );
      if ('failure' in answer) throw new SliceFailure(answer.failure);
      measured.push({ answer, nodes });
      return decodeSafetensors(fs.readFileSync(outputs));
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }

  private async speeds(): Promise<KernelSpeeds> {
    const folder = fs.mkdtempSync(path.join(this.folder, 'kernels-'));
    const job = { kind: 'speed', folder } as const;
    const answer = await runProfileJob<SpeedAnswer>(job, folder, this.analyzed.model);
    if ('speeds' in answer) return answer.speeds;
    throw new SlicedInferenceError(
      'the library of ONNX Runtime must load and run on this machine',
      answer.failure,
      'install the library that is missing, or install onnxruntime-node again',
    );
  }

  private describe(inputs: Tensors, measured: readonly MeasuredSlice[], speeds: KernelSpeeds): ModelProfile {
    const { model } = this.analyzed;
    const { threads, runs, optimization } = this.options;
    const callSeconds = median(measured.flatMap(({ answer }) => answer.callSeconds));
    return {
      version: PROFILE_VERSION,
      library: packageVersion(),
      onnxRuntime: onnxRuntimeVersion(),
      graphOptimization: optimization,
      model: {
        file: path.basename(this.modelPath),
        nodes: model.graph.nodes.length,
        graphDigest: graphDigest(model.graph),
      },
      dimensions: usedDimensions(this.compiled.plan.inputs, inputs),
      machine: {
        processor: os.cpus().at(0)?.model.trim() ?? 'unknown',
        architecture: process.arch,
        threads,
        speeds,
        callSeconds: rounded(callSeconds),
      },
      // The profiler records a limited number of nodes, so it may have fewer runs.
      runs: Math.min(runs, ...measured.map(({ answer }) => answer.events.runs)),
      nodes: nodeTimes(model, measured, callSeconds),
    };
  }

  private doesNotRun(inputs: Tensors, failure: SliceFailure): SlicedInferenceError {
    return new SlicedInferenceError(
      `model ${quoted(this.modelPath)} must run in ONNX Runtime (${describeInputs(inputs)})`,
      failure.message,
      this.options.inputs === undefined
        ? 'pass real inputs with --inputs, or the sizes of symbolic dimensions with --dimension'
        : 'check their values, and that the model runs on its own',
    );
  }
}
