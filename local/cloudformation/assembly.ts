/** Reads a synthesized cloud assembly (`cdk.out`): its stacks with their templates and asset manifests. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { foreignPath } from '../../lib/host/read-text';
import { isJsonObject, type JsonObject, parseJson } from '../json';
import { LocalCloudError, systemErrorCode } from '../local-cloud-error';

export type AssemblyStack = ReturnType<typeof readStack>;

export type StackEnvironment = AssemblyStack['environment'];

const UNKNOWN_ACCOUNT = '000000000000';
const UNKNOWN_REGION = 'us-east-1';

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly dependencies?: readonly string[];
}

type Artifacts = Readonly<Record<string, Artifact>>;

/** All stacks of an assembly and of its nested assemblies (stages), in the manifest's order. */
export function readAssembly(folder: string): AssemblyStack[] {
  const artifacts = (readManifest(folder).artifacts ?? {}) as unknown as Artifacts;
  return Object.entries(artifacts).flatMap(([id, { type, properties = {} }]) => {
    if (type === 'cdk:cloud-assembly') return readAssembly(path.join(folder, properties.directoryName));
    return type === 'aws:cloudformation:stack' ? [readStack(folder, artifacts, id)] : [];
  });
}

function readManifest(folder: string): JsonObject {
  if (!fs.existsSync(folder)) {
    const foreign = foreignPath(folder);
    throw new LocalCloudError(
      foreign
        ? `the cloud assembly '${folder}' must be a folder, got ${foreign.got}: ${foreign.advice}`
        : `the cloud assembly '${folder}' does not exist: run \`cdk synth\` first`,
    );
  }
  try {
    return readJson(path.join(folder, 'manifest.json'));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    throw new LocalCloudError(
      `'${folder}' is not a cloud assembly, it has no manifest.json: pass the output folder of \`cdk synth\``,
    );
  }
}

/** Of a stack that does not specify its account and region, they are placeholders. */
function readStack(folder: string, artifacts: Artifacts, id: string) {
  const { environment = '', properties = {}, dependencies = [] } = artifacts[id];
  const { stackName = id, templateFile } = properties;
  // Such as `aws://unknown-account/eu-west-1`.
  const [account, region] = environment.split('/').slice(-2);
  return {
    name: stackName,
    environment: {
      account: account === 'unknown-account' ? UNKNOWN_ACCOUNT : account,
      region: region === 'unknown-region' ? UNKNOWN_REGION : region,
    },
    template: readJson(path.join(folder, templateFile)),
    assetManifests: Object.entries(artifacts).flatMap(([name, asset]) => {
      if (asset.type !== 'cdk:asset-manifest' || !dependencies.includes(name)) return [];
      return [path.resolve(folder, asset.properties?.file ?? '')];
    }),
  };
}

function readJson(file: string): JsonObject {
  const value = parseJson(fs.readFileSync(file, 'utf8'));
  if (isJsonObject(value)) return value;
  throw new LocalCloudError(`'${file}' is not a JSON object: synthesize the assembly again`);
}
