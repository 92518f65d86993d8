/**
 * Writes a tensor of 128 MB to a server as the slice functions do, with the compiled code, and prints how far the process's peak
 * resident memory exceeds its resident memory before. The variables of the environment name the server; `CA` is its authority.
 */
const path = require('node:path');

const LAMBDA = path.join(__dirname, '../../dist/lambda');
const { functionAgents } = require(`${LAMBDA}/store/connections.js`);
const { S3ObjectStore } = require(`${LAMBDA}/store/s3.js`);
const { functionS3Client } = require(`${LAMBDA}/store/s3-client.js`);
const { SafetensorsStore } = require(`${LAMBDA}/store/safetensors-store.js`);
const { peakMemoryBytes } = require(`${LAMBDA}/telemetry/telemetry.js`);

const row = (elements) => {
  const tensor = { dtype: 'float32', shape: [1, elements], bytes: new Uint8Array(4 * elements) };
  return new Map([['x', tensor]]);
};

async function main() {
  const client = functionS3Client(functionAgents({ ca: process.env.CA }));
  const store = new SafetensorsStore(new S3ObjectStore(client), 'bucket');
  const tensors = row(32e6);
  // Loads and compiles the code, and opens the connection.
  await store.write('small', row(1000));
  const before = process.memoryUsage.rss();
  await store.write('large', tensors);
  process.stdout.write(String(peakMemoryBytes() - before));
  process.exit();
}

void main();
