/** Reads a synthesized cloud assembly (`cdk.out`): its stacks with their templates and asset manifests. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { foreignPath } from '../../lib/host/foreign-path';
import { LocalCloudError, systemErrorCode } from '../local-cloud-error';
import { entriesOf, isJsonArray, isJsonObject, type Json, type JsonObject } from '../json';

/** Account and region of a stack; placeholders if the stack does not specify them. */
export interface StackEnvironment {
  readonly account: string;
  readonly region: string;
}

export interface AssemblyStack {
  readonly name: string;
  readonly environment: StackEnvironment;
  readonly template: JsonObject;
  /** Absolute paths. */
  readonly assetManifests: readonly string[];
}

const UNKNOWN_ACCOUNT = '000000000000';
const UNKNOWN_REGION = 'us-east-1';

/** All stacks of an assembly and of its nested assemblies (stages), in the manifest's order. */
export function readAssembly(folder: string): AssemblyStack[] {
  const artifacts = readManifest(folder).artifacts;
  if (!isJsonObject(artifacts)) return [];
  return entriesOf(artifacts).flatMap(([id, artifact]) => readArtifact(folder, artifacts, id, artifact));
}

function readManifest(folder: string): JsonObject {
  if (!fs.existsSync(folder)) {
    const foreign = foreignPath(folder);
    if (foreign) {
      throw new LocalCloudError(
        `the cloud assembly '${folder}' must be a folder, got ${foreign.got}: ${foreign.advice}`,
      );
    }
    throw new LocalCloudError(`the cloud assembly '${folder}' does not exist: run \`cdk synth\` first`);
  }
  const file = path.join(folder, 'manifest.json');
  try {
    return readJson(file);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    throw new LocalCloudError(
      `'${folder}' is not a cloud assembly, it has no manifest.json: pass the output folder of \`cdk synth\``,
    );
  }
}

function readArtifact(folder: string, artifacts: JsonObject, id: string, artifact: Json): AssemblyStack[] {
  if (!isJsonObject(artifact)) return [];
  const properties = objectAt(artifact, 'properties');
  switch (artifact.type) {
    case 'aws:cloudformation:stack':
      return [readStack(folder, artifacts, id, artifact)];
    case 'cdk:cloud-assembly':
      return readAssembly(path.join(folder, stringAt(properties, 'directoryName', id)));
    default:
      return [];
  }
}

function readStack(folder: string, artifacts: JsonObject, id: string, artifact: JsonObject): AssemblyStack {
  const properties = objectAt(artifact, 'properties');
  const listed = artifact.dependencies ?? [];
  const dependencies = isJsonArray(listed)
    ? listed.filter((dependency) => typeof dependency === 'string')
    : [];
  return {
    name: typeof properties.stackName === 'string' ? properties.stackName : id,
    environment: parseEnvironment(stringAt(artifact, 'environment', id)),
    template: readJson(path.join(folder, stringAt(properties, 'templateFile', id))),
    assetManifests: dependencies.flatMap((dependency) => {
      const manifest = objectAt(artifacts, dependency);
      if (manifest.type !== 'cdk:asset-manifest') return [];
      return [path.resolve(folder, stringAt(objectAt(manifest, 'properties'), 'file', dependency))];
    }),
  };
}

function parseEnvironment(text: string): StackEnvironment {
  const [account = '', region = ''] = text.replace(/^aws:\/\//, '').split('/');
  return {
    account: account === 'unknown-account' ? UNKNOWN_ACCOUNT : account,
    region: region === 'unknown-region' ? UNKNOWN_REGION : region,
  };
}

function readJson(file: string): JsonObject {
  const text = fs.readFileSync(file, 'utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new LocalCloudError(`'${file}' is not a JSON object: synthesize the assembly again`);
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}

function stringAt(object: JsonObject, name: string, artifact: string): string {
  const value = object[name];
  if (typeof value === 'string') return value;
  throw new LocalCloudError(
    `the assembly's artifact '${artifact}' has no ${name}: synthesize the assembly again`,
  );
}
