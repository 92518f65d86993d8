/**
 * StartSyncExecution has a host of its own, `sync-states.…`. The SDK puts `sync-` before the host of any endpoint, also before that of a
 * local one, and no resolver finds `sync-127.0.0.1`. It refuses `sync-[::1]` even before it makes the request.
 */
import { isIPv4 } from 'node:net';

const PREFIX = 'sync-';

/** A valid host that stands for an address of IPv6 until the request is made. */
const STAND_IN = 'localhost';

type Middleware = <A extends { request?: unknown }, R>(
  next: (args: A) => Promise<R>,
  context: { endpointV2?: { url: URL } },
) => (args: A) => Promise<R>;

/** The part of a command of the SDK that this file uses. */
interface CommandWithMiddleware {
  readonly middlewareStack: {
    add(middleware: Middleware, options: { readonly step: 'build'; readonly name: string }): void;
    addRelativeTo(
      middleware: Middleware,
      options: { readonly relation: 'after'; readonly toMiddleware: string; readonly name: string },
    ): void;
  };
}

/** Takes the prefix away from IP addresses and localhost before the request is signed. Leaves the client as it is. */
export function withoutPrefixOnThisMachine<C extends CommandWithMiddleware>(command: C): C {
  let ipv6: string | undefined;
  command.middlewareStack.addRelativeTo(
    (next, context) => (args) => {
      const { endpointV2 } = context;
      if (endpointV2?.url.hostname.startsWith('[')) {
        ipv6 = endpointV2.url.hostname;
        const url = new URL(endpointV2.url);
        url.hostname = STAND_IN;
        // A copy, because the client may keep its endpoint.
        context.endpointV2 = { ...endpointV2, url };
      }
      return next(args);
    },
    // The SDK's own step that finds the endpoint.
    { relation: 'after', toMiddleware: 'endpointV2Middleware', name: 'slicedInferenceIpv6Host' },
  );
  command.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      if (hasHostname(request)) request.hostname = ipv6 ?? plainHost(request.hostname);
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
