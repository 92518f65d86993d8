/** A server over HTTP or TLS that answers as a test says, in an environment in which the AWS SDK takes it for S3. */
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { closeServer, listen } from '../../local/http/loopback-server';
import { makeServerCertificate } from '../../local/http/certificate';

export const PROTOCOLS = ['http', 'https'] as const;

export type Answer = http.RequestListener;

const { authority, certificate, privateKey } = makeServerCertificate();

/** Runs the server during the tests around the call. */
export function answeringServer(protocol: (typeof PROTOCOLS)[number], serve: Answer) {
  const answer: Answer = (request, response) => {
    served.requests.push(request);
    request.resume();
    (served.next.shift() ?? serve)(request, response);
  };
  const tls = { cert: certificate, key: privateKey };
  const server = protocol === 'http' ? http.createServer(answer) : https.createServer(tls, answer);
  const served = {
    protocol,
    server,
    /** Certificate of the authority to trust. */
    ca: authority,
    /** What each test has sent. */
    requests: [] as http.IncomingMessage[],
    connections: [] as Socket[],
    /** Answers the next requests; afterwards the server serves them. */
    next: [] as Answer[],
    get port(): number {
      return (server.address() as AddressInfo).port;
    },
    get endpoint(): string {
      return `${protocol}://127.0.0.1:${served.port}`;
    },
    reset(): void {
      Object.assign(served, { requests: [], connections: [], next: [] });
    },
  };
  server.on('connection', (socket: Socket) => served.connections.push(socket));
  const environment = { ...process.env };
  beforeAll(() => listen(server));
  beforeEach(() => {
    served.reset();
    useS3(served.endpoint);
  });
  afterAll(async () => {
    process.env = environment;
    await closeServer(server);
  });
  return served;
}

/** Sets the variables from which the AWS SDK takes its endpoint and credentials. */
export function useS3(
  endpoint: string,
  credentials = { accessKeyId: 'test', secretAccessKey: 'secret' },
): void {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  });
}
