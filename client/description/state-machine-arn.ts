/** Reads the ARN of a state machine. */
import { quotedName, kindOf } from '../../lambda/json-values';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html; an alias or a version may follow. */
const ARN = /^(arn:[\w-]+:states:([\w-]+):\d{12}):stateMachine:([^:/\s]{1,80})(:[^:/\s]{1,80})?$/;

export interface StateMachineArn {
  readonly region: string;
  /** What DescribeStateMachine takes: it is documented for state machines and versions, but not for aliases. */
  readonly describedArn: string;
  /** The ARN of an execution of this name, as far as it is known before Step Functions tells it. */
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
  const [text, start, region, machine] = match;
  const unqualified = `${start}:stateMachine:${machine}`;
  // An alias has a character that is no digit: https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachineAlias.html
  const isVersion = /^:\d+$/.test(text.slice(unqualified.length));
  return {
    region,
    describedArn: isVersion ? text : unqualified,
    executionArn: (name) => `${start}:execution:${machine}:${name}`,
  };
}
