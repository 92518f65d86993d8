/** A call that a role makes, and the values of constructs that calls are made of. */
import { Stack } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { isJsonObject, type Json, type JsonObject } from '../../../local/basics/json';
import { resourcesOf, type SynthesizedTemplate } from '../resolve';
import type { SynthesizedCase } from '../synthesize';

/** A call that a role makes, and whether IAM must allow it. */
export interface Call {
  /** ARN of the role. */
  readonly role: string;
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string>>;
  readonly isNeeded: boolean;
}

export const RUN = 'machine/monday';
export const TLS = { 'aws:SecureTransport': 'true' };

/** Reads values of constructs as the services get them. */
export class Values {
  constructor(private readonly subject: SynthesizedCase) {}

  text(scope: IConstruct, value: string): string {
    const stack = Stack.of(scope);
    return this.subject.resolved.text(this.template(stack), stack.resolve(value) as Json);
  }

  properties(scope: IConstruct): JsonObject {
    const stack = Stack.of(scope);
    const child = scope.node.defaultChild as CfnResource;
    const logicalId = stack.resolve(child.logicalId) as string;
    const template = this.template(stack);
    const resource = resourcesOf(template).find((other) => other.logicalId === logicalId);
    const properties = this.subject.resolved.resolve(template, resource?.properties ?? null);
    if (isJsonObject(properties)) return properties;
    throw new Error(`${scope.node.path} has no properties`);
  }

  private template(stack: Stack): SynthesizedTemplate {
    const template = this.subject.templates.find(({ path }) => path === stack.node.path);
    if (template) return template;
    throw new Error(`no template of ${stack.node.path}`);
  }
}

/** Makes calls of one role. */
export function caller(values: Values, role: iam.IRole | undefined) {
  if (!role) throw new Error('a function has no role');
  const arn = values.text(role, role.roleArn);
  return (
    isNeeded: boolean,
    action: string,
    resources: readonly string[],
    context: Readonly<Record<string, string>> = TLS,
  ): Call[] => resources.map((resource) => ({ role: arn, action, resource, context, isNeeded }));
}

export type MakeCall = ReturnType<typeof caller>;
