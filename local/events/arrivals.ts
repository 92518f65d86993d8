/** Starts state machines when objects arrive, as rules of EventBridge do. */
import { randomUUID } from 'node:crypto';
import { type JsonObject, parseJson, valueAt } from '../json';
import type { Authorizer } from '../iam/authorizer';
import { roleSession } from '../iam/principals';
import type { CreatedObject } from '../s3/store';
import type { StateMachines } from '../step-functions/state-machines';
import { transform } from './input-transformer';
import type { Rule, Rules, RuleTarget } from './read-rules';
import { objectCreated } from './s3-event';

interface ArrivalsOptions {
  readonly machines: StateMachines;
  readonly authorizer: Authorizer;
  /** Called with why a rule could not start an execution. */
  readonly onFailure: (reason: string) => void;
}

export class Arrivals {
  private rules: Rules = { rules: [], buckets: new Set(), notices: [] };

  constructor(private readonly options: ArrivalsOptions) {}

  replace(rules: Rules): void {
    this.rules = rules;
  }

  /** Starts the executions of all rules that match. Never throws: as on AWS, the write of the object succeeds anyway. */
  add(created: CreatedObject): void {
    if (!this.rules.buckets.has(created.bucket)) return;
    const event = objectCreated(created, this.options.authorizer);
    for (const rule of this.rules.rules.filter(({ pattern }) => pattern(event))) {
      for (const target of rule.targets) {
        try {
          this.start(rule, target, event);
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          const what = `the rule '${rule.logicalId}' started no execution for '${created.object.key}'`;
          this.options.onFailure(`${what}: ${reason}`);
        }
      }
    }
  }

  private start(rule: Rule, target: RuleTarget, event: JsonObject & { readonly id: string }): void {
    const { machines, authorizer } = this.options;
    const { stateMachineArn, roleArn, input } = target;
    const refusal =
      authorizer.assumptionRefusal(roleArn, ['events.amazonaws.com'], rule.arn) ??
      authorizer.refusal(roleSession(roleArn, 'events'), {
        action: 'states:StartExecution',
        resource: stateMachineArn,
      });
    if (refusal !== undefined) throw new Error(refusal);
    const machine = machines.find(stateMachineArn);
    if (machine === undefined) throw new Error(`State Machine Does Not Exist: '${stateMachineArn}'`);
    const inputText =
      'template' in input ? transform(input, event) : JSON.stringify(valueAt(event, input.path) ?? null);
    const value = parseJson(inputText);
    if (value === undefined) {
      throw new Error(
        `the input of the state machine must be JSON, got '${inputText}': fix the InputTransformer of the rule`,
      );
    }
    machine.start(value, { name: `${event.id}_${randomUUID()}`, inputText });
  }
}
