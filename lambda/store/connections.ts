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
import { isIP, type Socket } from 'node:net';
import { CONNECT_MS, MAX_IDLE_MS, PREPARE_WAIT_MS } from './limits';
import { ReadBuffer } from './read-buffer';

/** Settings of the SDK's own agents. */
const AGENT: http.AgentOptions = { keepAlive: true, maxSockets: 50 };

type Connect = (options: object, connected?: (error: Error | null, socket: Socket) => void) => Socket;

/** What Node.js's types lack. */
interface Connector {
  readonly options: object;
  createConnection: Connect;
  addRequest(request: http.ClientRequest, ...rest: unknown[]): void;
  createSocket(request: object, options: object, created: (error: unknown, socket?: Socket) => void): void;
}

export interface Agents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  /** Closes the idle connections that have served requests. */
  readonly closeIdle: () => void;
  /**
   * Opens a connection to the host of `origin`, unless one is idle, which is idle then. Resolves when it is open or has failed, but
   * soon in any case, and never rejects: if it fails, a request opens one of its own.
   */
  readonly prepare: (origin: URL) => Promise<void>;
}

export function functionAgents(options: https.AgentOptions = {}): Agents {
  const httpAgent = new http.Agent({ ...AGENT, ...options });
  const httpsAgent = new https.Agent({ ...AGENT, ...options });
  const plain = pool(httpAgent, 80, 'connect');
  const secure = pool(httpsAgent, 443, 'secureConnect');
  return {
    httpAgent,
    httpsAgent,
    closeIdle: () => {
      plain.closeIdle();
      secure.closeIdle();
    },
    prepare: (origin) => (origin.protocol === 'https:' ? secure : plain).prepare(origin),
  };
}

/**
 * Never reuses a connection that was idle for more than `MAX_IDLE_MS`. The wall clock tells, because other clocks may
 * stand still while Lambda freezes the process. If a request fails, its agent's idle connections are closed: they may have died
 * in the same way, and the SDK would try one after another.
 */
function pool(agent: http.Agent, standardPort: number, opened: 'connect' | 'secureConnect') {
  const connector = agent as http.Agent & Connector;
  const buffers = new WeakMap<Duplex, ReadBuffer>();
  const idleSince = new WeakMap<Duplex, number>();
  const unused = new WeakSet<Duplex>();
  const opening = new Map<string, Promise<unknown>>();

  const connect = connector.createConnection.bind(agent);
  connector.createConnection = (options, connected) => {
    const buffer = new ReadBuffer();
    const socket = connect({ ...options, onread: buffer.options }, connected);
    buffer.attach(socket);
    buffers.set(socket, buffer);
    return socket;
  };
  const isUsable = (socket: Duplex): boolean => {
    const idleMs = Date.now() - (idleSince.get(socket) ?? 0);
    // Negative if the clock was set back.
    return !socket.destroyed && idleMs >= 0 && idleMs <= MAX_IDLE_MS;
  };
  // Called when a connection becomes idle: https://nodejs.org/api/http.html#agentkeepsocketalivesocket
  const keepSocketAlive: (socket: Duplex) => unknown = agent.keepSocketAlive.bind(agent);
  agent.keepSocketAlive = (socket) => {
    idleSince.set(socket, Date.now());
    return keepSocketAlive(socket);
  };
  const addRequest = connector.addRequest.bind(agent);
  connector.addRequest = (request, ...rest) => {
    for (const socket of idleSockets(agent)) if (!isUsable(socket)) socket.destroy();
    request.once('error', () => {
      for (const socket of idleSockets(agent)) socket.destroy();
    });
    request.once('socket', (socket) => {
      unused.delete(socket);
      buffers.get(socket)?.expect(request);
    });
    addRequest(request, ...rest);
  };

  return {
    closeIdle: () => {
      for (const socket of idleSockets(agent)) if (!unused.has(socket)) socket.destroy();
    },
    prepare: async ({ hostname: host, port }: URL): Promise<void> => {
      const servername = isIP(host) === 0 ? host : '';
      const options = { ...connector.options, host, port: Number(port || standardPort), servername };
      const name = agent.getName(options);
      if (agent.freeSockets[name]?.some(isUsable)) return;
      const ready =
        opening.get(name) ?? open(connector, options, opened).then((socket) => socket && unused.add(socket));
      opening.set(name, ready);
      await soon(ready.then(() => opening.delete(name)));
    },
  };
}

/** Opens a connection that becomes idle when it is open. */
function open(
  connector: Connector,
  options: object,
  opened: 'connect' | 'secureConnect',
): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    connector.createSocket({}, options, (_, socket) => {
      const giveUp = (): void => void socket?.destroy();
      const failed = (): void => {
        resolve(undefined);
      };
      if (socket === undefined) {
        failed();
        return;
      }
      socket.setTimeout(CONNECT_MS, giveUp);
      socket.on('error', giveUp).once('close', failed);
      socket.once(opened, () => {
        socket.setTimeout(0, giveUp);
        // So the agent keeps the connection, as after a request that allows it.
        Object.assign(socket, { _httpMessage: { shouldKeepAlive: true } }).emit('free');
        resolve(socket);
      });
    });
  });
}

function idleSockets({ freeSockets }: http.Agent): Duplex[] {
  return Object.values(freeSockets).flatMap((sockets) => sockets ?? []);
}

/** Waits for work that never rejects, but at most `PREPARE_WAIT_MS`. */
export async function soon(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, PREPARE_WAIT_MS)))]);
  clearTimeout(timer);
}
