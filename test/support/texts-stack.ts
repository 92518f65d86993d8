/** A stack with pipelines and functions of a user, for tests of commands. */
import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { SlicedInferencePipeline, Slicing, type SlicedInferencePipelineProps } from '../../lib';
import { ARCHITECTURE, userFunction } from './deployed-pipeline';
import { shareZips } from './share-zips';
import { temporaryFolder } from './temporary-folder';

/** Makes a row of 16 floats of a text. Fails for the text `throw`, and takes ten minutes for `wait`. */
const PREPROCESS = `exports.handler = async ({ text }) => {
  if (text === 'wait') await new Promise((resolve) => setTimeout(resolve, 600_000));
  if (text === 'throw') throw new TypeError('no such text');
  const data = Array.from({ length: 16 }, (_, at) => text.charCodeAt(at % text.length) / 256);
  return { version: 1, inputs: { tensors: { x: { dtype: 'float32', shape: [1, 16], data } } } };
};`;
const POSTPROCESS = `exports.handler = async ({ outputs }) => ({ rank: outputs.tensors.y.shape.length });`;

export class TextsStack {
  private readonly app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
  readonly stack = new Stack(this.app, 'Stack');

  add(
    id: string,
    props: SlicedInferencePipelineProps,
    ...steps: readonly ('preprocess' | 'postprocess')[]
  ): SlicedInferencePipeline {
    const own = steps.map((step) => [step, this.function(`${id}-${step}`, step)] as const);
    return new SlicedInferencePipeline(this.stack, id, {
      architecture: ARCHITECTURE,
      slicing: Slicing.count(2),
      removalPolicy: RemovalPolicy.DESTROY,
      ...props,
      ...Object.fromEntries(own),
    });
  }

  /** A state machine of the user that only contains the pipeline. */
  addMachine(id: string, pipeline: SlicedInferencePipeline): void {
    new sfn.StateMachine(this.stack, id, {
      queryLanguage: sfn.QueryLanguage.JSONATA,
      stateMachineType: sfn.StateMachineType.EXPRESS,
      definitionBody: sfn.DefinitionBody.fromChainable(pipeline.asFragment(this.stack, `${id}-Read`)),
    });
  }

  /** Returns the folder of the assembly. */
  synthesize(): string {
    return shareZips(this.app.synth().directory);
  }

  private function(id: string, step: 'preprocess' | 'postprocess'): lambda.Function {
    const created = userFunction(this.stack, id, step === 'preprocess' ? PREPROCESS : POSTPROCESS);
    (created.node.defaultChild as lambda.CfnFunction).timeout = Duration.minutes(10).toSeconds();
    return created;
  }
}
