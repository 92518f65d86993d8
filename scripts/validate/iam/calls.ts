/** The calls that each role of a case must be allowed to make, and calls that it must not be allowed to make. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { SlicedInferencePipeline } from '../../../lib';
import type { SynthesizedCase } from '../synthesize';
import { Values, type Call } from './call';
import { machineCalls } from './machine-calls';
import { sliceCalls } from './slice-calls';
import { userCalls } from './user-calls';

export function callsOf(subject: SynthesizedCase): Call[] {
  const values = new Values(subject);
  const constructs = subject.app.node.findAll();
  const pipelines = constructs.filter((construct) => construct instanceof SlicedInferencePipeline);
  return [
    ...pipelines.flatMap((pipeline) => [
      ...sliceCalls(values, pipeline, constructs),
      ...userCalls(values, pipeline, constructs),
    ]),
    ...constructs
      .filter((construct) => construct instanceof sfn.StateMachine)
      .flatMap((machine) => machineCalls(values, machine)),
  ];
}
