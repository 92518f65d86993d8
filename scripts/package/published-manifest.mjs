// The package.json that npm publishes.

/** Fields of package.json that are for development. */
// The registry of `publishConfig` does not exist, so that `npm publish` in the repository fails instead of publishing the sources.
const DEVELOPMENT = ['publishConfig', 'scripts', 'devDependencies'];

/**
 * The client uses the application's AWS SDK if there is one. A strict package manager such as pnpm makes an optional peer of a name here, in any
 * version, and so shows the SDK to the client. npm does so anyway. Neither installs it or warns. `peerDependencies` must not have the names:
 * jsii's tools, such as pacmak, look for the jsii assembly of each peer there.
 */
const OPTIONAL_PEERS = ['@aws-sdk/client-s3', '@aws-sdk/client-sfn'];

/** @param {Record<string, unknown>} manifest the repository's package.json */
export function publishedManifest(manifest) {
  const kept = Object.fromEntries(Object.entries(manifest).filter(([field]) => !DEVELOPMENT.includes(field)));
  return {
    ...kept,
    peerDependenciesMeta: Object.fromEntries(OPTIONAL_PEERS.map((name) => [name, { optional: true }])),
  };
}
