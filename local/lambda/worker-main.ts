/**
 * The program of a worker process: runs the official runtime client. The client's native HTTP module is not built if
 * packages are installed without scripts, so a module in JavaScript with the same three functions replaces it.
 */
import * as http from 'node:http';
import Module from 'node:module';
import { text } from 'node:stream/consumers';

/** The name by which `aws-lambda-ric` requires its native module. */
const NATIVE_MODULE = './rapid-client.node';

type Load = (request: string, parent: { readonly filename?: string } | undefined, isMain: boolean) => unknown;

const agent = new http.Agent({ keepAlive: true });
const [, hostname, port, secretPath = ''] =
  /^([^:]*):(\d+)(\/.*)$/.exec(process.env.AWS_LAMBDA_RUNTIME_API ?? '') ?? [];

/** The runtime client does not know that the paths of the local Runtime API begin with a secret. */
function requestWithSecret(
  options: http.RequestOptions,
  onResponse: (response: http.IncomingMessage) => void,
): http.ClientRequest {
  return http.request({ ...options, path: `${secretPath}${options.path ?? ''}` }, onResponse);
}

/** The response that is being sent. The native module blocks until it is sent; here, callers wait for this promise. */
let posting: Promise<unknown> = Promise.resolve();
let posts = 0;

function call(
  method: string,
  path: string,
  body = '',
): Promise<{ body: string; headers: http.IncomingHttpHeaders }> {
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const options = {
      hostname,
      port,
      method,
      agent,
      headers,
      path: `/2018-06-01/runtime/invocation/${path}`,
    };
    const request = requestWithSecret(options, (response) => {
      text(response).then((read) => {
        resolve({ body: read, headers: response.headers });
      }, reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

function post(path: string, body: string): null {
  posts++;
  posting = call('POST', path, body).finally(() => posts--);
  return null;
}

/** Output that is still in this process would wait until the next call, because the sandbox freezes between calls. */
async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0) return;
  await new Promise((resolve) => stream.write('', resolve));
}

const client = {
  async next() {
    await posting;
    await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
    const { body, headers } = await call('GET', 'next');
    return { bodyJson: body, headers };
  },
  done: (requestId: string, body: string) => post(`${requestId}/response`, body),
  error: (requestId: string, body: string) => post(`${requestId}/error`, body),
};

/** The runtime client is in this file, so only its own HTTP module is replaced, and not that of functions. */
function replaceModulesOfRuntimeClient(): void {
  const loader = Module as unknown as { _load: Load };
  const load = loader._load;
  loader._load = (request, parent, isMain) => {
    if (request === NATIVE_MODULE) return client;
    if (request === 'http' && parent?.filename === __filename) return { ...http, request: requestWithSecret };
    return load.call(loader, request, parent, isMain);
  };
}

/** The runtime client exits right after posting an uncaught error. Delays the exit until the post has been sent. */
function exitAfterPosts(): void {
  const exit = process.exit.bind(process);
  process.exit = ((code?: number) => {
    if (posts === 0) return exit(code);
    void posting.finally(() => exit(code));
    return undefined;
  }) as typeof process.exit;
}

/** Ends this process when standard input closes: the local cloud, which holds the other end, has ended. */
function exitWithParent(): void {
  process.stdin.on('end', () => {
    process.kill(process.pid, 'SIGKILL');
  });
  process.stdin.resume();
  // The listener must not keep the process alive: the runtime client treats an empty event loop as a result.
  (process.stdin as unknown as { unref(): void }).unref();
}

replaceModulesOfRuntimeClient();
exitAfterPosts();
exitWithParent();
void import('aws-lambda-ric').then(({ run }) =>
  run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER).catch((error: unknown) => {
    // Throw outside the promise, like the client's own entry point, so that the client posts the error by its name.
    setImmediate(() => {
      throw error;
    });
  }),
);
