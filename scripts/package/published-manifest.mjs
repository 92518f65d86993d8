// The package.json that npm publishes.

/** Fields of package.json that are for development. */
const DEVELOPMENT = ['private', 'scripts', 'devDependencies'];

/**
 * The client uses the application's AWS SDK if there is one. An optional peer makes strict package managers show it to the client, and installs
 * nothing. jsii allows no optional peers, so only npm's manifest has them.
 */
const OPTIONAL_PEERS = ['@aws-sdk/client-s3', '@aws-sdk/client-sfn'];

/** From the oldest release that was tried: it called an Express and a Standard pipeline in the local cloud. */
const SDK_RANGE = '^3.350.0';

/** @param {Record<string, unknown>} manifest the repository's package.json */
export function publishedManifest(manifest) {
  const kept = Object.fromEntries(Object.entries(manifest).filter(([field]) => !DEVELOPMENT.includes(field)));
  const peers = (value) => Object.fromEntries(OPTIONAL_PEERS.map((name) => [name, value]));
  return {
    ...kept,
    peerDependencies: { ...manifest.peerDependencies, ...peers(SDK_RANGE) },
    peerDependenciesMeta: peers({ optional: true }),
  };
}
