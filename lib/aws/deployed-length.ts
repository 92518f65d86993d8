/**
 * How long a value is after the deployment has replaced its references. AWS holds policies, environments and definitions against
 * its quotas then, and a reference may be shorter in the template than its value.
 */
import { CfnResource, Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * In bytes, of text as it is, of everything else as JSON: with the longest value of each reference, and without the parts that only the
 * deployment knows.
 */
export function deployedLength(
  scope: IConstruct,
  value: unknown,
): { readonly most: number; readonly least: number } {
  const longest = new LongestValues(scope).of(Stack.of(scope).resolve(value));
  const text = typeof longest === 'string' ? longest : JSON.stringify(longest);
  return { most: Buffer.byteLength(text), least: Buffer.byteLength(text.replaceAll(UNKNOWN, '')) };
}

/** Stands for a character that only the deployment knows. It takes one byte, and JSON does not escape it. */
const UNKNOWN = '\u007f';
const unknown = (characters: number): string => UNKNOWN.repeat(characters);

/** Of a value that nothing bounds, such as that of a parameter: no ARN of a function's version or alias is longer. */
const ANY_VALUE = unknown(256);

/** `aws-us-gov`, `us-isof-south-1` and `amazonaws.com.cn` are the longest in `aws-cdk-lib/region-info`. */
const [PARTITION, REGION, ACCOUNT, URL_SUFFIX] = [10, 15, 12, 16].map(unknown);

const arn = (service: string, resource: string): string =>
  `arn:${PARTITION}:${service}:${REGION}:${ACCOUNT}:${resource}`;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/pseudo-parameter-reference.html */
const PSEUDO_PARAMETERS: Readonly<Partial<Record<string, string>>> = {
  'AWS::AccountId': ACCOUNT,
  'AWS::NoValue': '',
  'AWS::Partition': PARTITION,
  'AWS::Region': REGION,
  'AWS::StackId': arn('cloudformation', `stack/${unknown(128)}/${unknown(36)}`),
  'AWS::StackName': unknown(128),
  'AWS::URLSuffix': URL_SUFFIX,
};

/**
 * By type of resource. CloudFormation makes a name of the stack's name, the logical id and a suffix, cut at the most that the
 * service allows: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
 */
const RESOURCES: Readonly<Partial<Record<string, Readonly<Partial<Record<string, string>>>>>> = {
  'AWS::KMS::Key': { Ref: unknown(36), Arn: arn('kms', `key/${unknown(36)}`) },
  'AWS::Lambda::Function': { Ref: unknown(64), Arn: arn('lambda', `function:${unknown(64)}`) },
  'AWS::Logs::LogGroup': { Ref: unknown(512), Arn: arn('logs', `log-group:${unknown(512)}:*`) },
  'AWS::S3::Bucket': { Ref: unknown(63), Arn: `arn:${PARTITION}:s3:::${unknown(63)}` },
  'AWS::S3Express::DirectoryBucket': { Ref: unknown(63), Arn: arn('s3express', `bucket/${unknown(63)}`) },
};

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html */
const DYNAMIC_REFERENCE = /\{\{resolve:[^}]*\}\}/g;

/** By the root of the construct tree, because resources of other stacks are referred to by their logical ids too. */
const typesByRoot = new WeakMap<IConstruct, Map<string, readonly string[]>>();

class LongestValues {
  private readonly types: Map<string, readonly string[]>;
  private isUpToDate = false;

  constructor(private readonly scope: IConstruct) {
    const { root } = scope.node;
    this.types = typesByRoot.get(root) ?? new Map<string, readonly string[]>();
    typesByRoot.set(root, this.types);
  }

  of(value: unknown): unknown {
    if (typeof value === 'string') return value.replace(DYNAMIC_REFERENCE, ANY_VALUE);
    if (Array.isArray(value)) return value.map((item) => this.of(item));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [[name, argument] = ['']] = entries;
    if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::')))
      return this.intrinsic(name, argument);
    return Object.fromEntries(entries.map(([key, item]) => [key, this.of(item)]));
  }

  private intrinsic(name: string, argument: unknown): unknown {
    if (name === 'Ref') return this.reference(String(argument), 'Ref');
    const list: readonly unknown[] = Array.isArray(argument) ? argument : [argument];
    if (name === 'Fn::GetAtt') {
      const [id, ...attribute] = list.join('.').split('.');
      return this.reference(id, attribute.join('.'));
    }
    const [first, second] = list.map((item) => this.of(item));
    if (name === 'Fn::Join' && Array.isArray(second)) return second.join(String(first));
    if (name === 'Fn::Split' && typeof second === 'string') return second.split(String(first));
    if (name === 'Fn::Select' && Array.isArray(second))
      return (second as unknown[])[Number(first)] ?? ANY_VALUE;
    if (name === 'Fn::Sub' && typeof first === 'string') return this.substituted(first, second);
    // Such as the value of another stack, or one of two that a condition chooses.
    return unknown(Math.max(ANY_VALUE.length, JSON.stringify(this.of(argument)).length));
  }

  private substituted(text: string, variables: unknown): string {
    return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal !== '') return `\${${name}}`;
      const given = (variables as Record<string, unknown> | undefined)?.[name];
      return String(given ?? this.intrinsic(name.includes('.') ? 'Fn::GetAtt' : 'Ref', name));
    });
  }

  private reference(name: string, attribute: string): string {
    if (name.startsWith('AWS::')) return PSEUDO_PARAMETERS[name] ?? ANY_VALUE;
    const values = this.typesOf(name).map((type) => RESOURCES[type]?.[attribute] ?? ANY_VALUE);
    return values.sort((one, other) => other.length - one.length).at(0) ?? ANY_VALUE;
  }

  /** The types of the resources with a logical id: stacks may have the same ones. */
  private typesOf(logicalId: string): readonly string[] {
    if (!this.types.has(logicalId) && !this.isUpToDate) {
      this.isUpToDate = true;
      for (const [id, types] of currentTypes(this.scope.node.root)) this.types.set(id, types);
    }
    const types = this.types.get(logicalId) ?? [];
    // So that no later measurement looks for it again: what is referred to exists already.
    this.types.set(logicalId, types);
    return types;
  }
}

function currentTypes(root: IConstruct): Map<string, readonly string[]> {
  const types = new Map<string, readonly string[]>();
  for (const resource of root.node.findAll()) {
    if (!CfnResource.isCfnResource(resource) || !(resource.cfnResourceType in RESOURCES)) continue;
    const logicalId = String(Stack.of(resource).resolve(resource.logicalId));
    types.set(logicalId, [...(types.get(logicalId) ?? []), resource.cfnResourceType]);
  }
  return types;
}
