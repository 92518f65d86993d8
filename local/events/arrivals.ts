/** Starts state machines when objects arrive, as rules of EventBridge do. */
import { randomUUID } from 'node:crypto';
import { type JsonObject, parseJson, valueAt } from '../json';
import type { Authorizer } from '../iam/authorizer';
import { roleSession, service } from '../iam/principals';
import type { CreatedObject } from '../s3/store';
import type { StateMachines } from '../step-functions/state-machines';
import { transform } from './input-transformer';
import { matches } from './pattern';
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
    for (const rule of this.rules.rules.filter(({ pattern }) => matches(pattern, event))) {
      for (const target of rule.targets) this.deliver(rule, target, event, created.object.key);
    }
  }

  private deliver(
    rule: Rule,
    target: RuleTarget,
    event: JsonObject & { readonly id: string },
    key: string,
  ): void {
    try {
      this.start(rule, target, event);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.options.onFailure(`the rule '${rule.logicalId}' started no execution for '${key}': ${reason}`);
    }
  }

  private start(rule: Rule, target: RuleTarget, event: JsonObject & { readonly id: string }): void {
    const { machines } = this.options;
    const { stateMachineArn } = target;
    const refusal = this.refusal(rule, target);
    if (refusal !== undefined) throw new Error(refusal);
    const machine = machines.find(stateMachineArn);
    if (machine === undefined) throw new Error(`State Machine Does Not Exist: '${stateMachineArn}'`);
    const inputText = inputOf(target, event);
    const input = parseJson(inputText);
    if (input === undefined) {
      throw new Error(
        `the input of the state machine must be JSON, got '${inputText}': fix the InputTransformer of the rule`,
      );
    }
    machine.start(input, { name: `${event.id}_${randomUUID()}`, inputText });
  }

  /** Why the rule may not start an execution as its role. */
  private refusal(rule: Rule, { roleArn, stateMachineArn }: RuleTarget): string | undefined {
    const { authorizer } = this.options;
    const assumption = {
      action: 'sts:AssumeRole',
      resource: roleArn,
      context: { 'aws:sourceaccount': authorizer.account, 'aws:sourcearn': rule.arn },
    } as const;
    if (authorizer.hasPolicyOf(roleArn)) {
      const untrusted = authorizer.refusal(service('events.amazonaws.com'), assumption);
      if (untrusted !== undefined) return untrusted;
    }
    const session = roleSession(roleArn, 'events');
    return authorizer.refusal(session, { action: 'states:StartExecution', resource: stateMachineArn });
  }
}

function inputOf({ input }: RuleTarget, event: JsonObject): string {
  switch (input.kind) {
    case 'constant':
      return input.text;
    case 'event':
      return JSON.stringify(valueAt(event, input.path) ?? null);
    case 'transformer':
      return transform(input.transformer, event);
  }
}
