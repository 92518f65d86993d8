/**
 * HTTP agents whose connections reuse one read buffer each. By default, Node.js allocates a new buffer for every read,
 * although its HTTP parser copies the bodies out of it. For hundreds of MB of weights, that allocation is a large part
 * of the CPU time and the memory of a download.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { OnReadOpts, Socket } from 'node:net';

/** Size of the buffers that Node.js allocates by default. */
const READ_BYTES = 64 * 1024;

/** Settings of the SDK's own agents. */
const AGENT: http.AgentOptions = { keepAlive: true, maxSockets: 50 };

type Connect = (options: object, connected?: (error: Error | null, socket: Socket) => void) => Socket;

export function readingIntoOneBuffer(options: https.AgentOptions = {}): {
  httpAgent: http.Agent;
  httpsAgent: https.Agent;
} {
  return {
    httpAgent: intoOneBuffer(new http.Agent({ ...AGENT, ...options })),
    httpsAgent: intoOneBuffer(new https.Agent({ ...AGENT, ...options })),
  };
}

function intoOneBuffer<A extends http.Agent>(agent: A): A {
  const connector = agent as A & { createConnection: Connect };
  const connect: Connect = connector.createConnection.bind(agent);
  connector.createConnection = (options, connected) => {
    const onread: OnReadOpts = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (bytes, buffer) => {
        // The HTTP parser has copied the bytes when `emit` returns.
        socket.emit('data', buffer.subarray(0, bytes));
        return true;
      },
    };
    const socket = connect({ ...options, onread }, connected);
    return socket;
  };
  return agent;
}
