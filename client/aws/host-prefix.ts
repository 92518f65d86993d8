/**
 * StartSyncExecution has a host of its own, `sync-states.…`. The SDK puts `sync-` before the host of any endpoint, also before that of a
 * local one, and no resolver finds `sync-127.0.0.1`.
 */
import { isIPv4 } from 'node:net';

const PREFIX = 'sync-';

/** The part of a command of the SDK that this file uses. */
interface CommandWithMiddleware {
  readonly middlewareStack: {
    add(
      middleware: <A extends { request?: unknown }, R>(
        next: (args: A) => Promise<R>,
      ) => (args: A) => Promise<R>,
      options: { readonly step: 'build'; readonly name: string },
    ): void;
  };
}

/** Takes the prefix away from IP addresses and localhost before the request is signed. Leaves the client as it is. */
export function withoutPrefixOnThisMachine<C extends CommandWithMiddleware>(command: C): C {
  command.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      if (hasHostname(request)) request.hostname = plainHost(request.hostname);
      return next(args);
    },
    { step: 'build', name: 'slicedInferenceHostPrefix' },
  );
  return command;
}

/** The host without the prefix if it is an IP address or localhost; other hosts as they are. */
export function plainHost(hostname: string): string {
  if (!hostname.startsWith(PREFIX)) return hostname;
  const host = hostname.slice(PREFIX.length);
  return isIPv4(host) || host === 'localhost' || host.endsWith('.localhost') ? host : hostname;
}

function hasHostname(request: unknown): request is { hostname: string } {
  return (
    typeof request === 'object' &&
    request !== null &&
    'hostname' in request &&
    typeof request.hostname === 'string'
  );
}
