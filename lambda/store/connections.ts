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
import { MAX_IDLE_MS, PREPARE_WAIT_MS } from './limits';
import { ReadBuffer } from './read-buffer';

/** Settings of the SDK's own agents. */
const AGENT: http.AgentOptions = { keepAlive: true, maxSockets: 50 };

interface ConnectionPicker {
  addRequest(request: http.ClientRequest, ...rest: unknown[]): void;
}

export interface Agents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  readonly closeIdle: () => void;
  /**
   * Opens a connection for the next request to the host of `origin`, unless one is open already. Resolves when it is open or
   * has failed, but soon in any case, and never rejects.
   */
  readonly prepare: (origin: URL) => Promise<void>;
  readonly closePrepared: () => void;
}

export function functionAgents(options: https.AgentOptions = {}): Agents {
  const plain = pool(new http.Agent({ ...AGENT, ...options }), 80, 'connect');
  const secure = pool(new https.Agent({ ...AGENT, ...options }), 443, 'secureConnect');
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

function pool<A extends http.Agent>(agent: A, port: number, opened: 'connect' | 'secureConnect') {
  // Their types lack both.
  const connector = agent as A & { createConnection: Connect; readonly options: object };
  const buffers = new WeakMap<Duplex, ReadBuffer>();
  const connect = intoOneBuffer(connector.createConnection.bind(agent), buffers);
  const hasIdle = awake(agent, buffers);
  const prepared = new PreparedConnections(connector, connect, port, opened, hasIdle);
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

type Connect = (options: object, connected?: (error: Error | null, socket: Socket) => void) => Socket;

interface Prepared {
  readonly socket: Socket;
  readonly since: number;
  readonly settled: Promise<void>;
  readonly hand: () => void;
}

/** The prepared connections of one agent: at most one for each host, which the agent's next connection to that host is. */
class PreparedConnections {
  private readonly prepared = new Map<string, Prepared>();

  constructor(
    private readonly agent: { readonly options: object; getName(options: object): string },
    private readonly connect: Connect,
    /** The port of an origin that names none. */
    private readonly port: number,
    private readonly opened: 'connect' | 'secureConnect',
    private readonly hasIdle: (name: string) => boolean,
  ) {}

  /**
   * Opens a connection, unless one is prepared or idle. Resolves when the connection is open, has failed or takes too long.
   * Never rejects: if it fails, a request opens one of its own.
   */
  async prepare({ hostname: host, port }: URL): Promise<void> {
    const servername = isIP(host) === 0 ? host : '';
    const options = { ...this.agent.options, host, port: Number(port || this.port), servername };
    const name = this.agent.getName(options);
    if (this.hasIdle(name)) return;
    const { settled } = this.fresh(name) ?? this.open(name, { ...options, _agentKey: name });
    await soon(settled);
  }

  take(name: string): Socket | undefined {
    const prepared = this.fresh(name);
    prepared?.hand();
    this.prepared.delete(name);
    return prepared?.socket;
  }

  close(): void {
    for (const { socket } of this.prepared.values()) socket.destroy();
    this.prepared.clear();
  }

  private fresh(name: string): Prepared | undefined {
    const prepared = this.prepared.get(name);
    if (prepared === undefined) return undefined;
    if (!prepared.socket.destroyed && isFresh(prepared.since)) return prepared;
    prepared.socket.destroy();
    this.prepared.delete(name);
    return undefined;
  }

  private open(name: string, options: object): Prepared {
    const socket = this.connect(options);
    // S3 says nothing before a request, except that it will close the connection.
    const drop = (): void => void socket.destroy();
    let hand: () => void = drop;
    const settled = new Promise<void>((resolve) => {
      const close = (): void => {
        if (this.prepared.get(name)?.socket === socket) this.prepared.delete(name);
        resolve();
      };
      hand = () => {
        socket.off('data', drop).off('end', drop).off('error', drop).off('close', close);
        resolve();
      };
      socket.once(this.opened, resolve);
      socket.on('data', drop).on('end', drop).on('error', drop).on('close', close);
    });
    const prepared = { socket, since: Date.now(), settled, hand };
    this.prepared.set(name, prepared);
    return prepared;
  }
}

/** Waits for work that never rejects, but at most `PREPARE_WAIT_MS`. */
export async function soon(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, PREPARE_WAIT_MS)))]);
  clearTimeout(timer);
}
