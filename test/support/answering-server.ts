/** A server over HTTP or TLS that answers as a test says, in an environment in which the AWS SDK takes it for S3. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { makeServerCertificate } from '../../local/tls/certificate';

export const PROTOCOLS = ['http', 'https'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export type Answer = http.RequestListener;

const CERTIFICATE = makeServerCertificate();

export class AnsweringServer {
  /** Certificate of the authority to trust. */
  readonly ca = CERTIFICATE.authority;
  /** What each test has sent. */
  requests: http.IncomingMessage[] = [];
  connections: Socket[] = [];
  /** Answers the next requests; afterwards the server serves them. */
  next: Answer[] = [];
  readonly server: http.Server;

  constructor(
    readonly protocol: Protocol,
    serve: Answer,
  ) {
    const answer: Answer = (request, response) => {
      this.requests.push(request);
      request.resume();
      (this.next.shift() ?? serve)(request, response);
    };
    const { certificate: cert, privateKey: key } = CERTIFICATE;
    this.server = protocol === 'http' ? http.createServer(answer) : https.createServer({ cert, key }, answer);
    this.server.on('connection', (socket: Socket) => this.connections.push(socket));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get endpoint(): string {
    return `${this.protocol}://127.0.0.1:${this.port}`;
  }

  reset(): void {
    this.requests = [];
    this.connections = [];
    this.next = [];
  }
}

/** Runs the server during the tests around the call. */
export function answeringServer(protocol: Protocol, serve: Answer): AnsweringServer {
  const server = new AnsweringServer(protocol, serve);
  const environment = { ...process.env };
  beforeAll(async () => {
    server.server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
  });
  beforeEach(() => {
    server.reset();
    useS3(server.endpoint);
  });
  afterAll(async () => {
    process.env = environment;
    const closed = once(server.server, 'close');
    server.server.close();
    server.server.closeAllConnections();
    await closed;
  });
  return server;
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
