/**
 * HTTP agents whose connections reuse one read buffer each, and are not reused themselves after a pause or a failure.
 *
 * By default, Node.js allocates a new buffer for every read,
 * although its HTTP parser copies the bodies out of it. For hundreds of MB of weights, that allocation is a large part
 * of the CPU time and the memory of a download.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { Duplex } from 'node:stream';
import { MAX_IDLE_MS } from './limits';
import { PreparedConnections, type Connect, type Protocol } from './prepared-connections';
import { ReadBuffer } from './read-buffer';

/** Settings of the SDK's own agents. */
const AGENT: http.AgentOptions = { keepAlive: true, maxSockets: 50 };

/** The method of agents that picks a connection for a request. Their types lack it. */
interface ConnectionPicker {
  addRequest(request: http.ClientRequest, ...rest: unknown[]): void;
}

export interface Agents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  /** Closes the connections that no request uses. */
  readonly closeIdle: () => void;
  /**
   * Opens a connection for the next request to the host of `origin`, unless one is open already. Resolves when it is open or
   * has failed, but soon in any case, and never rejects.
   */
  readonly prepare: (origin: URL) => Promise<void>;
  /** Closes the prepared connections that no request has taken. */
  readonly closePrepared: () => void;
}

export function functionAgents(options: https.AgentOptions = {}): Agents {
  const plain = pool(new http.Agent({ ...AGENT, ...options }), { port: 80, opened: 'connect' });
  const secure = pool(new https.Agent({ ...AGENT, ...options }), { port: 443, opened: 'secureConnect' });
  const both = [plain, secure];
  return {
    httpAgent: plain.agent,
    httpsAgent: secure.agent,
    closeIdle: () => {
      for (const { agent } of both) for (const socket of idleSockets(agent)) socket.destroy();
    },
    prepare: (origin) => (origin.protocol === 'https:' ? secure : plain).prepared.prepare(origin),
    closePrepared: () => {
      for (const { prepared } of both) prepared.close();
    },
  };
}

interface Pool<A extends http.Agent> {
  readonly agent: A;
  readonly prepared: PreparedConnections;
}

function pool<A extends http.Agent>(agent: A, protocol: Protocol): Pool<A> {
  // Their types lack both.
  const connector = agent as A & { createConnection: Connect; readonly options: object };
  const buffers = new WeakMap<Duplex, ReadBuffer>();
  const connect = intoOneBuffer(connector.createConnection.bind(agent), buffers);
  const hasIdle = awake(agent, buffers);
  const prepared = new PreparedConnections(connector, connect, protocol, { hasIdle, isFresh });
  connector.createConnection = (options, connected) =>
    prepared.take(agent.getName(options)) ?? connect(options, connected);
  return { agent, prepared };
}

/** Whether a connection that is idle since then may serve a request. Negative: the clock was set back. */
function isFresh(since: number): boolean {
  const idleMs = Date.now() - since;
  return idleMs >= 0 && idleMs <= MAX_IDLE_MS;
}

/**
 * Never reuses a connection that was idle for more than `MAX_IDLE_MS`. The wall clock tells, because other clocks may
 * stand still while Lambda freezes the process. If a request fails, its agent's idle connections are closed: they may have died
 * in the same way, and the SDK would try one after another.
 * @returns whether the agent would reuse a connection, by its name
 */
function awake(agent: http.Agent, buffers: WeakMap<Duplex, ReadBuffer>): (name: string) => boolean {
  const idleSince = new WeakMap<Duplex, number>();
  const isUsable = (socket: Duplex): boolean => !socket.destroyed && isFresh(idleSince.get(socket) ?? 0);
  // Called when a connection becomes idle: https://nodejs.org/api/http.html#agentkeepsocketalivesocket
  const keepSocketAlive: (socket: Duplex) => unknown = agent.keepSocketAlive.bind(agent);
  agent.keepSocketAlive = (socket) => {
    idleSince.set(socket, Date.now());
    return keepSocketAlive(socket);
  };
  const picker = agent as http.Agent & ConnectionPicker;
  const addRequest = picker.addRequest.bind(agent);
  picker.addRequest = (request, ...rest) => {
    for (const socket of idleSockets(agent)) if (!isUsable(socket)) socket.destroy();
    request.once('error', () => {
      for (const socket of idleSockets(agent)) socket.destroy();
    });
    request.once('socket', (socket) => buffers.get(socket)?.expect(request));
    addRequest(request, ...rest);
  };
  return (name) => agent.freeSockets[name]?.some(isUsable) ?? false;
}

function idleSockets({ freeSockets }: http.Agent): Duplex[] {
  return Object.values(freeSockets).flatMap((sockets) => sockets ?? []);
}

function intoOneBuffer(connect: Connect, buffers: WeakMap<Duplex, ReadBuffer>): Connect {
  return (options, connected) => {
    const buffer = new ReadBuffer();
    const socket = connect({ ...options, onread: buffer.options }, connected);
    buffer.attach(socket);
    buffers.set(socket, buffer);
    return socket;
  };
}
