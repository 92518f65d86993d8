/** A proxy whose connections take long to set up, as in a real network, and can be lost, as while a sandbox sleeps. */
import { once } from 'node:events';
import * as net from 'node:net';

export class SlowConnections {
  private readonly open = new Set<net.Socket>();
  private readonly server: net.Server;
  /** Connections since the start. */
  accepted = 0;

  private constructor(target: URL, setUpMs: number) {
    this.server = net.createServer({ pauseOnConnect: true }, (client) => {
      this.accepted++;
      this.open.add(client);
      client.once('close', () => this.open.delete(client));
      client.on('error', () => undefined);
      setTimeout(() => {
        join(client, net.connect({ host: target.hostname, port: Number(target.port), noDelay: true }));
      }, setUpMs);
    });
  }

  /** @param setUpMs from the connection until its first byte, of the TLS handshake, passes */
  static async start(
    target: string,
    setUpMs: number,
  ): Promise<SlowConnections & { readonly endpoint: string }> {
    const url = new URL(target);
    const proxy = new SlowConnections(url, setUpMs);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    const { port } = proxy.server.address() as net.AddressInfo;
    return Object.assign(proxy, { endpoint: `${url.protocol}//127.0.0.1:${port}` });
  }

  /** Closes all connections. */
  lose(): void {
    for (const socket of this.open) socket.destroy();
  }

  close(): Promise<void> {
    this.lose();
    return new Promise((resolve) =>
      this.server.close(() => {
        resolve();
      }),
    );
  }
}

function join(client: net.Socket, upstream: net.Socket): void {
  client.setNoDelay(true);
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ]) {
    from.on('error', () => to.destroy());
    from.once('close', () => to.destroy());
    from.pipe(to);
  }
}
