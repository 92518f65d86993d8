/** Slice functions in the user's VPC. */
import { Annotations, Stack } from 'aws-cdk-lib';
import { Annotations as Found, Match } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Slicing, TensorStore, type SlicedInferencePipelineProps } from '../../../lib';
import { addPipeline, errorOf, newStack, pipelineStack } from '../../support/pipeline-stack';

const MISSING = 'cdk-sliced-inference:noS3Endpoint';

function isolatedVpc(stack: Stack): ec2.Vpc {
  return new ec2.Vpc(stack, 'Vpc', {
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [{ name: 'own', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
  });
}

const isolated = { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };

describe('in a VPC', () => {
  const { resource, resources } = pipelineStack((stack) => ({
    slicing: Slicing.count(2),
    vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 }),
  }));

  test('all functions share one security group, which allows only outbound HTTPS', () => {
    const groups = Object.values(resources('AWS::EC2::SecurityGroup'));
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({
      SecurityGroupEgress: [{ CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443, IpProtocol: 'tcp' }],
    });
    expect(groups[0]).not.toHaveProperty('SecurityGroupIngress');
    const configs = [0, 1].map((slice) => resource(`Pipeline/slice-0${slice}/Function`).VpcConfig);
    expect(configs[0]).toEqual(configs[1]);
    expect(configs[0]).toMatchObject({ SecurityGroupIds: ['{Pipeline/SecurityGroup.GroupId}'] });
  });

  test('a role allows Lambda to attach the function, and denies it to the code of the function', () => {
    const { PolicyDocument } = resource('Pipeline/SlicePolicy') as {
      PolicyDocument: { Statement: { Sid: string }[] };
    };
    expect(PolicyDocument.Statement.filter(({ Sid }) => !/^Write(Logs|Traces)$/.test(Sid))).toEqual([
      expect.objectContaining({ Sid: 'AttachToVpc', Effect: 'Allow', Resource: '*' }),
      expect.objectContaining({
        Sid: 'NotByTheCodeItself',
        Effect: 'Deny',
        Condition: { Null: { 'lambda:SourceFunctionArn': 'false' } },
      }),
    ]);
  });
});

test('vpcSubnets and securityGroups configure the functions', () => {
  const { resource } = pipelineStack((stack) => {
    const vpc = isolatedVpc(stack);
    return {
      vpc,
      vpcSubnets: { subnets: [vpc.isolatedSubnets[1]] },
      securityGroups: [new ec2.SecurityGroup(stack, 'Mine', { vpc })],
    };
  });
  expect(resource('Pipeline/slice-00/Function').VpcConfig).toEqual({
    SecurityGroupIds: ['{Mine.GroupId}'],
    SubnetIds: ['{Vpc/ownSubnet2/Subnet}'],
  });
});

describe('functions in isolated subnets', () => {
  function warnings(
    prepare: (vpc: ec2.Vpc) => void,
    props: Partial<SlicedInferencePipelineProps> = {},
  ): string[] {
    const stack = newStack();
    const vpc = isolatedVpc(stack);
    prepare(vpc);
    addPipeline(stack, 'Pipeline', { vpc, vpcSubnets: isolated, ...props });
    return Found.fromStack(stack)
      .findWarning('*', Match.anyValue())
      .map(({ entry }) => entry.data as string);
  }

  test('give a warning without an endpoint for S3', () => {
    expect(warnings(() => undefined)).toEqual([
      `functions in isolated subnets reach S3 only through a VPC endpoint, and this app has none for the VPC: call vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 }) [ack: ${MISSING}]`,
    ]);
  });

  test('give no warning with an endpoint for S3', () => {
    const add = (vpc: ec2.Vpc): void => {
      vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 });
    };
    expect(warnings(add)).toEqual([]);
  });

  test('give a warning without a second endpoint for S3 Express One Zone', () => {
    const add = (vpc: ec2.Vpc): void => {
      vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 });
    };
    const props = { tensorStore: TensorStore.s3ExpressOneZone('use1-az5') };
    expect(warnings(add, props)).toEqual([
      expect.stringContaining('reach S3 Express One Zone only through a VPC endpoint'),
    ]);
    const both = (vpc: ec2.Vpc): void => {
      add(vpc);
      vpc.addGatewayEndpoint('S3Express', { service: ec2.GatewayVpcEndpointAwsService.S3_EXPRESS });
    };
    expect(warnings(both, props)).toEqual([]);
  });

  test('give a warning if the only endpoint is for another service', () => {
    const add = (vpc: ec2.Vpc): void => {
      vpc.addGatewayEndpoint('Table', { service: ec2.GatewayVpcEndpointAwsService.DYNAMODB });
    };
    expect(warnings(add)).toHaveLength(1);
  });

  test('give no warning if an interface endpoint is added after the pipeline', () => {
    const stack = newStack();
    const vpc = isolatedVpc(stack);
    addPipeline(stack, 'Pipeline', { vpc, vpcSubnets: isolated });
    vpc.addInterfaceEndpoint('S3', { service: ec2.InterfaceVpcEndpointAwsService.S3 });
    expect(Found.fromStack(stack).findWarning('*', Match.anyValue())).toEqual([]);
  });

  test('give no warning if the user has acknowledged it', () => {
    const know = (vpc: ec2.Vpc): void => {
      Annotations.of(Stack.of(vpc)).acknowledgeWarning(MISSING, 'the network team has added it');
    };
    expect(warnings(know)).toEqual([]);
  });
});

describe('a pipeline', () => {
  test('refuses subnets or security groups without a VPC', () => {
    expect(errorOf(() => pipelineStack({ vpcSubnets: isolated }))).toBe(
      'vpcSubnets must be combined with the vpc that they belong to, got no vpc: set vpc too',
    );
    expect(errorOf(() => pipelineStack({ securityGroups: [] }))).toBe(
      'securityGroups must be combined with the vpc that they belong to, got no vpc: set vpc too',
    );
  });

  test('refuses an empty list of security groups', () => {
    expect(errorOf(() => pipelineStack((stack) => ({ vpc: isolatedVpc(stack), securityGroups: [] })))).toBe(
      'securityGroups must have one group or more, got an empty list: leave the prop out to let the pipeline create a group',
    );
  });
});
