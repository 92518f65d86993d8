/**
 * Connections that open before a request needs them, so that no handshake delays it. They must be open before ONNX Runtime
 * computes: nothing else runs in the thread meanwhile, not even a handshake.
 */
import { isIP, type Socket } from 'node:net';
import { PREPARE_WAIT_MS } from './limits';

export type Connect = (options: object, connected?: (error: Error | null, socket: Socket) => void) => Socket;

export interface Protocol {
  /** The port of an origin that names none. */
  readonly port: number;
  /** Event of a socket that is open. */
  readonly opened: 'connect' | 'secureConnect';
}

/** What an agent has, but its types lack. */
interface NamingAgent {
  readonly options: object;
  getName(options: object): string;
}

interface Freshness {
  /** Whether the agent would reuse a connection. */
  readonly hasIdle: (name: string) => boolean;
  /** Whether a connection that is open since then may serve a request. */
  readonly isFresh: (since: number) => boolean;
}

interface Prepared {
  readonly socket: Socket;
  /** By the wall clock. */
  readonly since: number;
  /** Resolves when the connection is open or has failed. */
  readonly settled: Promise<void>;
  /** Stops watching the connection. */
  readonly hand: () => void;
}

/** The prepared connections of one agent: at most one for each host, which the agent's next connection to that host is. */
export class PreparedConnections {
  private readonly prepared = new Map<string, Prepared>();

  constructor(
    private readonly agent: NamingAgent,
    private readonly connect: Connect,
    private readonly protocol: Protocol,
    private readonly freshness: Freshness,
  ) {}

  /**
   * Opens a connection, unless one is prepared or idle. Resolves when the connection is open, has failed or takes too long.
   * Never rejects: if it fails, a request opens one of its own.
   */
  async prepare({ hostname: host, port }: URL): Promise<void> {
    const servername = isIP(host) === 0 ? host : '';
    const options = { ...this.agent.options, host, port: Number(port || this.protocol.port), servername };
    const name = this.agent.getName(options);
    if (this.freshness.hasIdle(name)) return;
    const { settled } = this.fresh(name) ?? this.open(name, { ...options, _agentKey: name });
    await soon(settled);
  }

  /** Hands the prepared connection over to a request. */
  take(name: string): Socket | undefined {
    const prepared = this.fresh(name);
    prepared?.hand();
    this.prepared.delete(name);
    return prepared?.socket;
  }

  /** Closes the connections that no request has taken. */
  close(): void {
    for (const { socket } of this.prepared.values()) socket.destroy();
    this.prepared.clear();
  }

  private fresh(name: string): Prepared | undefined {
    const prepared = this.prepared.get(name);
    if (prepared === undefined) return undefined;
    if (!prepared.socket.destroyed && this.freshness.isFresh(prepared.since)) return prepared;
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
      socket.once(this.protocol.opened, resolve);
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
