/** A proxy in front of the local S3 that can hold requests back or break their connections. */
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';

/** Whether a request is forwarded, waits forever, or loses its connection. */
export type Verdict = 'pass' | 'hold' | 'break';

interface S3Proxy {
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

/**
 * @param judge decides about each request before it is forwarded
 * @param onAnswer called when S3 has responded to a request
 */
export async function s3Proxy(
  target: string,
  judge: (message: http.IncomingMessage) => Verdict,
  onAnswer: (message: http.IncomingMessage) => void = () => undefined,
): Promise<S3Proxy> {
  const server = http.createServer((message, response) => {
    switch (judge(message)) {
      case 'hold':
        return;
      case 'break':
        message.socket.destroy();
        return;
      case 'pass':
        forward(target, message, response, onAnswer);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function forward(
  target: string,
  message: http.IncomingMessage,
  response: http.ServerResponse,
  onAnswer: (message: http.IncomingMessage) => void,
): void {
  const { method, headers, url = '/' } = message;
  const request = http.request(`${target}${url}`, { method, headers }, (answer) => {
    onAnswer(message);
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  request.on('error', () => response.destroy());
  message.on('error', () => request.destroy());
  message.pipe(request);
}

/** The part number in the URL of a request. */
export function partNumber({ url = '' }: http.IncomingMessage): number | undefined {
  const match = /[?&]partNumber=(\d+)/.exec(url);
  return match === null ? undefined : Number(match[1]);
}
