/** How many connections to S3 the helpers of functions open. S3 is a server of the test. */
import { readOutputs, writeRequest, type ExecutionOutput } from '../../../client';
import { answeringServer } from '../../support/answering-server';
import { output, RESULTS } from '../../support/fake-aws';

const x = { shape: [1], data: Float32Array.of(1) };
const inS3 = JSON.parse(output(false)) as ExecutionOutput;

const s3 = answeringServer('http', (request, response) => {
  request.on('end', () => response.end(request.method === 'GET' ? RESULTS : undefined));
});
// A pause of a busy machine must not end the connection.
s3.server.keepAliveTimeout = 0;
const puts = (): number => s3.requests.filter(({ method }) => method === 'PUT').length;
beforeEach(() => {
  process.env.AWS_REGION = 'eu-west-1';
  process.env.SLICED_INFERENCE_BUCKET = 'the-bucket';
});

test('calls one after the other share a connection, whatever their time limits are', async () => {
  for (let call = 1; call <= 20; call++) {
    await writeRequest({ x }, { inputs: 's3', requestTimeout: 10_000 + call });
    const { y } = await readOutputs(inS3);
    expect(y.data).toEqual(Float32Array.of(2));
  }
  expect([puts(), s3.connections.length]).toEqual([20, 1]);
});
