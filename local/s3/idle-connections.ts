/**
 * Lets a caller lose its idle connections, as happens to a sandbox that stood still for long: peers close connections, and
 * routers forget them, so that nothing answers any more. Connections with a request under way stay.
 */
import type * as http from 'node:http';
import type { Socket } from 'node:net';

/** What happens to idle connections: they stay, they are closed, or their next request is never answered. */
export type IdleConnectionFate = 'keep' | 'close' | 'forget';

export class IdleConnections {
  private readonly idle = new Map<string, Set<Socket>>();
  private readonly known = new WeakSet<Socket>();
  private readonly forgotten = new WeakSet<Socket>();

  isForgotten({ socket }: http.IncomingMessage): boolean {
    return this.forgotten.has(socket);
  }

  forget({ socket }: http.IncomingMessage): void {
    this.forgotten.add(socket);
  }

  /** Notes the caller of a request. Its connection is idle from the end of the response on. */
  follow(accessKeyId: string, { socket }: http.IncomingMessage, response: http.ServerResponse): void {
    const sockets = this.idle.get(accessKeyId) ?? new Set();
    this.idle.set(accessKeyId, sockets);
    sockets.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) sockets.add(socket);
    });
    if (this.known.has(socket)) return;
    this.known.add(socket);
    socket.once('close', () => sockets.delete(socket));
  }

  lose(accessKeyId: string, fate: IdleConnectionFate): number {
    const sockets = [...(this.idle.get(accessKeyId) ?? [])];
    if (fate === 'keep') return 0;
    for (const socket of sockets) {
      if (fate === 'close') socket.destroy();
      else this.forgotten.add(socket);
    }
    this.idle.delete(accessKeyId);
    return sockets.length;
  }
}
