/** An IAM simulator on the resolved policies: roles may make the calls that they need, and no others. */
import { isJsonObject, type JsonObject } from '../../../local/basics/json';
import type { Check, Finding } from '../check';
import type { Call } from '../iam/call';
import { callsOf } from '../iam/calls';
import { FOLDER_VARIABLE, loadSimulator, PACKAGE, type Simulate } from '../iam/simulator';
import { rolePolicies } from '../policies';
import { resourcesOf, type Templates } from '../resolve';

export async function wrongPermissions(
  subject: Templates,
  calls: readonly Call[],
  simulate: Simulate,
): Promise<Finding[]> {
  const roles = new Map(
    rolePolicies(subject.templates, subject.resolved).map(({ arn, policies }) => [
      arn,
      policies.map(({ document }) => document),
    ]),
  );
  const resourcePolicies = policiesOfResources(subject);
  const findings: Finding[] = [];
  for (const call of calls) {
    const { role, action, resource, isNeeded } = call;
    const identity = roles.get(role);
    if (!identity) throw new Error(`no role has the ARN ${role}`);
    const own = resourcePolicies.get(resource) ?? resourcePolicies.get(resource.split('/')[0]);
    const policy = own ?? (action.startsWith('kms:') ? keyOfAnotherStack(role) : undefined);
    const isAllowed = await simulate(call, { identity, ...(policy && { resource: policy }) });
    if (isAllowed === isNeeded) continue;
    const expected = isNeeded ? 'must be allowed' : 'must be denied';
    findings.push({ place: role, message: `${action} on ${resource} ${expected}` });
  }
  return findings;
}

/** The policies of buckets and keys, by ARN. */
function policiesOfResources({ templates, resolved }: Templates): Map<string, JsonObject> {
  const policies = new Map<string, JsonObject>();
  for (const template of templates) {
    for (const { properties } of resourcesOf(template, 'AWS::S3::BucketPolicy')) {
      const policy = resolved.resolve(template, properties.PolicyDocument ?? null);
      const bucket = resolved.text(template, properties.Bucket ?? null);
      if (isJsonObject(policy)) policies.set(`arn:aws:s3:::${bucket}`, policy);
    }
    for (const { logicalId, properties } of resourcesOf(template, 'AWS::KMS::Key')) {
      const policy = resolved.resolve(template, properties.KeyPolicy ?? null);
      const arn = resolved.text(template, { 'Fn::GetAtt': [logicalId, 'Arn'] });
      if (isJsonObject(policy)) policies.set(arn, policy);
    }
  }
  return policies;
}

/** The policy that an imported key must have: it leaves the decision to the policies of the role's account. */
function keyOfAnotherStack(role: string): JsonObject {
  const Principal = { AWS: `arn:aws:iam::${role.split(':')[4]}:root` };
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' }],
  };
}

/** @param folder of the simulator, if there is one */
export function iamSimulator(folder: string | undefined): Check {
  return {
    name: 'IAM simulator',
    run: async (cases) => {
      if (folder === undefined) {
        const advice = `install with: npm run validate -- --install, or set ${FOLDER_VARIABLE} to a folder with ${PACKAGE}`;
        return { skipped: `not found (${advice})` };
      }
      const simulate = loadSimulator(folder);
      const findings: Finding[][] = [];
      for (const subject of cases) findings.push(await wrongPermissions(subject, callsOf(subject), simulate));
      return { findings };
    },
  };
}
