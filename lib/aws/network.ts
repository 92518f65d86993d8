/** The VPC of the slice functions, if the user sets one. The functions must be able to reach S3 from it. */
import { Aspects, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct, IConstruct } from 'constructs';
import { SlicedInferenceError } from '../errors';
import { warn } from './annotate';

/**
 * The network configuration of all slice functions. They share their security groups, because Lambda creates a network
 * interface for each combination of security groups and subnet.
 */
export interface Network {
  readonly vpc: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly securityGroups: ec2.ISecurityGroup[];
}

const HTTPS = 443;

export function createNetwork(
  scope: Construct,
  props: Partial<Network>,
  usesExpress: boolean,
): Network | undefined {
  const { vpc, vpcSubnets, securityGroups } = props;
  if (vpc === undefined) {
    const orphan = (['vpcSubnets', 'securityGroups'] as const).find((name) => props[name] !== undefined);
    if (orphan === undefined) return undefined;
    throw new SlicedInferenceError(
      `${orphan} must be combined with the vpc that they belong to`,
      'no vpc',
      'set vpc too',
    );
  }
  if (securityGroups?.length === 0) {
    throw new SlicedInferenceError(
      'securityGroups must have one group or more',
      'an empty list',
      'leave the prop out to let the pipeline create a group',
    );
  }
  const services = usesExpress ? (['S3', 'S3_EXPRESS'] as const) : (['S3'] as const);
  for (const service of services) warnOfMissingEndpoint(scope, service, vpc, vpcSubnets);
  return {
    vpc,
    ...(vpcSubnets && { vpcSubnets }),
    securityGroups: securityGroups ?? [createSecurityGroup(scope, vpc)],
  };
}

function createSecurityGroup(scope: Construct, vpc: ec2.IVpc): ec2.SecurityGroup {
  const group = new ec2.SecurityGroup(scope, 'SecurityGroup', {
    vpc,
    description: 'Slice functions: HTTPS to S3',
    allowAllOutbound: false,
  });
  group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(HTTPS), 'S3 through an endpoint or a NAT gateway');
  return group;
}

const ENDPOINTS = {
  S3: { id: 'noS3Endpoint', what: 'S3', name: /\.s3\b/ },
  S3_EXPRESS: { id: 'noS3ExpressEndpoint', what: 'S3 Express One Zone', name: /\.s3express\b/ },
} as const;

/** From isolated subnets S3 is reachable only through an endpoint. The app may add one later, so check at synthesis. */
function warnOfMissingEndpoint(
  scope: Construct,
  service: keyof typeof ENDPOINTS,
  vpc: ec2.IVpc,
  vpcSubnets?: ec2.SubnetSelection,
): void {
  const { id, what, name } = ENDPOINTS[service];
  const { subnets, isPendingLookup } = vpc.selectSubnets(vpcSubnets);
  const isolated = new Set(vpc.isolatedSubnets.map(({ subnetId }) => subnetId));
  if (isPendingLookup || !subnets.some(({ subnetId }) => isolated.has(subnetId))) return;
  Aspects.of(scope).add({
    visit: (node) => {
      if (node !== scope || node.node.root.node.findAll().some((other) => isEndpoint(other, vpc, name)))
        return;
      warn(
        scope,
        id,
        `functions in isolated subnets reach ${what} only through a VPC endpoint, and this app has none for the VPC: call vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.${service} })`,
      );
    },
  });
}

function isEndpoint(construct: IConstruct, vpc: ec2.IVpc, name: RegExp): boolean {
  if (!(construct instanceof ec2.CfnVPCEndpoint)) return false;
  const resolve = (value: unknown): string => JSON.stringify(Stack.of(construct).resolve(value));
  // An endpoint in another stack refers to the VPC by an import, so its vpcId cannot be compared: assume that it matches.
  const isOther = Stack.of(construct) === Stack.of(vpc) && resolve(construct.vpcId) !== resolve(vpc.vpcId);
  return !isOther && name.test(resolve(construct.serviceName));
}

/**
 * The permissions that Lambda requires of the role of a function in a VPC, on all resources:
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions. The second statement
 * denies them to the function's own code: only its requests carry the condition key.
 */
export function networkStatements(): iam.PolicyStatement[] {
  const actions = [
    'ec2:AssignPrivateIpAddresses',
    'ec2:CreateNetworkInterface',
    'ec2:DeleteNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:UnassignPrivateIpAddresses',
  ];
  return [
    new iam.PolicyStatement({ sid: 'AttachToVpc', actions, resources: ['*'] }),
    new iam.PolicyStatement({
      sid: 'NotByTheCodeItself',
      effect: iam.Effect.DENY,
      actions,
      resources: ['*'],
      conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
    }),
  ];
}
