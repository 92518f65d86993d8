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
  const { consolidation = 'never', tensorsInState = false } = subject;
  pipelineAssembly(outdir, {
    modelPath,
    slicing: typeof slices === 'number' ? Slicing.count(slices) : Slicing.fromPlan(slices),
    warmUp: warmUp === 'always' ? WarmUp.ALWAYS : WarmUp.NEVER,
    consolidation: consolidation === 'always' ? Consolidation.ALWAYS : Consolidation.NEVER,
    stateMachineType: stateMachineType === 'express' ? StateMachineType.EXPRESS : StateMachineType.STANDARD,
    tensorsInState,
    ...(dimensions && { dimensions }),
  });
}

if (require.main === module) {
  const [subjects] = process.argv.slice(2);
  for (const subject of JSON.parse(subjects) as Subject[]) build(subject);
}
