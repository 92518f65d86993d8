/**
 * Connections that read into one buffer each, over and over. Those of Node.js allocate a new one for every read, although
 * its HTTP parser copies the bodies out of it: for hundreds of MB of weights that is a large part of the processor time
 * and of the memory that a download takes.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { OnReadOpts, Socket } from 'node:net';

/** As much as Node.js asks for at a time. */
const READ_BYTES = 64 * 1024;

/** As the SDK's own agents. */
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
  const connecting = agent as A & { createConnection: Connect };
  const connect: Connect = connecting.createConnection.bind(agent);
  connecting.createConnection = (options, connected) => {
    const onread: OnReadOpts = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (bytes, buffer) => {
        // To the HTTP parser, which is done with them when it returns.
        socket.emit('data', buffer.subarray(0, bytes));
        return true;
      },
    };
    const socket = connect({ ...options, onread }, connected);
    return socket;
  };
  return agent;
}
