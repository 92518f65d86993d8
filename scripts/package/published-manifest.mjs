// The package.json that npm publishes.

/** Fields of package.json that are for development. */
const DEVELOPMENT = ['private', 'scripts', 'devDependencies'];

/**
 * The client uses the application's AWS SDK if there is one. An optional peer makes strict package managers show it to the client, and installs
 * nothing. Any release of version 3 will do. jsii allows no optional peers, so only npm's manifest has them.
 */
const OPTIONAL_PEERS = ['@aws-sdk/client-s3', '@aws-sdk/client-sfn'];

/** @param {Record<string, unknown>} manifest the repository's package.json */
export function publishedManifest(manifest) {
  const kept = Object.fromEntries(Object.entries(manifest).filter(([field]) => !DEVELOPMENT.includes(field)));
  const peers = (value) => Object.fromEntries(OPTIONAL_PEERS.map((name) => [name, value]));
  return {
    ...kept,
    peerDependencies: { ...manifest.peerDependencies, ...peers('^3.0.0') },
    peerDependenciesMeta: peers({ optional: true }),
  };
}
