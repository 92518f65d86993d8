/**
 * HTTP agents whose connections reuse one read buffer each, and are not reused themselves after a pause or a failure.
 *
 * By default, Node.js allocates a new buffer for every read,
 * although its HTTP parser copies the bodies out of it. For hundreds of MB of weights, that allocation is a large part
 * of the CPU time and the memory of a download.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { OnReadOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { MAX_IDLE_MS } from './limits';

/** Size of the buffers that Node.js allocates by default. */
const READ_BYTES = 64 * 1024;

/** Settings of the SDK's own agents. */
const AGENT: http.AgentOptions = { keepAlive: true, maxSockets: 50 };

type Connect = (options: object, connected?: (error: Error | null, socket: Socket) => void) => Socket;

/** The method of agents that picks a connection for a request. Their types lack it. */
interface ConnectionPicker {
  addRequest(request: http.ClientRequest, ...rest: unknown[]): void;
}

export interface Agents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  /** Closes the connections that no request uses. */
  readonly closeIdle: () => void;
}

export function functionAgents(options: https.AgentOptions = {}): Agents {
  const httpAgent = awake(intoOneBuffer(new http.Agent({ ...AGENT, ...options })));
  const httpsAgent = awake(intoOneBuffer(new https.Agent({ ...AGENT, ...options })));
  const closeIdle = (): void => {
    for (const agent of [httpAgent, httpsAgent]) for (const socket of idleSockets(agent)) socket.destroy();
  };
  return { httpAgent, httpsAgent, closeIdle };
}

/**
 * Never reuses a connection that was idle for more than `MAX_IDLE_MS`. The wall clock tells, because other clocks may
 * stand still while Lambda freezes the process. If a request fails, its agent's idle connections are closed: they may have died
 * in the same way, and the SDK would try one after another.
 */
function awake<A extends http.Agent>(agent: A): A {
  const idleSince = new WeakMap<Duplex, number>();
  // Called when a connection becomes idle: https://nodejs.org/api/http.html#agentkeepsocketalivesocket
  const keepSocketAlive: (socket: Duplex) => unknown = agent.keepSocketAlive.bind(agent);
  agent.keepSocketAlive = (socket) => {
    idleSince.set(socket, Date.now());
    return keepSocketAlive(socket);
  };
  const picker = agent as A & ConnectionPicker;
  const addRequest = picker.addRequest.bind(agent);
  picker.addRequest = (request, ...rest) => {
    for (const socket of idleSockets(agent)) {
      const idleMs = Date.now() - (idleSince.get(socket) ?? 0);
      // Negative: the clock was set back.
      if (idleMs < 0 || idleMs > MAX_IDLE_MS) socket.destroy();
    }
    request.once('error', () => {
      for (const socket of idleSockets(agent)) socket.destroy();
    });
    addRequest(request, ...rest);
  };
  return agent;
}

function idleSockets({ freeSockets }: http.Agent): Duplex[] {
  return Object.values(freeSockets).flatMap((sockets) => sockets ?? []);
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
