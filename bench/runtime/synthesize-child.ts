/** Synthesizes the stacks that its argument lists as JSON. */
import { StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Consolidation, Slicing, WarmUp } from '../../lib';
import { naiveAssembly, pipelineAssembly } from './assemblies';
import type { Subject } from './synthesize';

function build(subject: Subject): void {
  if ('slicesFolder' in subject) {
    naiveAssembly(subject.outdir, subject.slicesFolder);
    return;
  }
  const { outdir, modelPath, slices, warmUp, stateMachineType = 'express', dimensions } = subject;
  const { consolidation = 'never' } = subject;
  pipelineAssembly(outdir, {
    modelPath,
    slicing: Slicing.count(slices),
    warmUp: warmUp === 'always' ? WarmUp.ALWAYS : WarmUp.NEVER,
    consolidation: consolidation === 'always' ? Consolidation.ALWAYS : Consolidation.NEVER,
    stateMachineType: stateMachineType === 'express' ? StateMachineType.EXPRESS : StateMachineType.STANDARD,
    // What the benchmarks measure and predict is the way through S3.
    tensorsInState: false,
    ...(dimensions && { dimensions }),
  });
}

if (require.main === module) {
  const [subjects] = process.argv.slice(2);
  for (const subject of JSON.parse(subjects) as Subject[]) build(subject);
}
