/** The HTTP API of a stack: its server starts with the first deployment that has one. */
import type { HttpApi } from '../api-gateway/http-api';
import { type KeySet, readKeySet } from '../api-gateway/key-set';
import { HttpApiServer, type HttpApiServerOptions } from '../api-gateway/server';

interface HttpFrontOptions extends Omit<HttpApiServerOptions, 'keys'> {
  /** A JSON Web Key Set. Without it, the signatures of tokens are not verified. */
  readonly jwksFile: string | undefined;
}

export class HttpFront {
  private readonly keys: KeySet | undefined;
  private server: HttpApiServer | undefined;

  /** @throws LocalCloudError when the file is no set of keys */
  constructor(private readonly options: HttpFrontOptions) {
    this.keys = options.jwksFile === undefined ? undefined : readKeySet(options.jwksFile);
  }

  /** `undefined` without an HTTP API. */
  get endpoint(): string | undefined {
    return this.server?.endpoint;
  }

  async serve(httpApi: HttpApi | undefined): Promise<void> {
    this.server?.replace(httpApi);
    if (httpApi === undefined) return;
    this.server ??= await HttpApiServer.start(httpApi, { ...this.options, keys: this.keys });
  }

  async close(): Promise<void> {
    await this.server?.close();
  }
}
