/** Reads the ARN of a state machine. */
import { quotedName, kindOf } from '../../lambda/json-values';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html; an alias or a version may follow. */
const ARN = /^(arn:[\w-]+:states:([\w-]+):\d{12}):stateMachine:([^:/\s]{1,80})(:[^:/\s]{1,80})?$/;

export interface StateMachineArn {
  readonly region: string;
  /** The ARN of an execution of this name. */
  executionArn(name: string): string;
}

/** @throws TypeError if the text is no ARN of a state machine */
export function parseStateMachineArn(value: unknown): StateMachineArn {
  const match = typeof value === 'string' ? ARN.exec(value) : null;
  if (match === null) {
    const got = typeof value === 'string' ? quotedName(value) : kindOf(value);
    throw new TypeError(
      `option stateMachineArn must be the ARN of a state machine, got ${got}: pass pipeline.stateMachine.stateMachineArn`,
    );
  }
  const [, start, region, machine] = match;
  return { region, executionArn: (name) => `${start}:execution:${machine}:${name}` };
}
