/** The functions of a stack behind Lambda's API, in processes that run their bundles with the variables of the template. */
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { findFunction, type FunctionResource, readFunction } from '../../local/cloudformation/resources';
import type { Template } from '../../local/cloudformation/template';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../local/json';
import { CodeFolders } from '../../local/lambda/code';
import { Concurrency } from '../../local/lambda/concurrency';
import { FunctionPool } from '../../local/lambda/function-pool';
import { Notices } from '../../local/notices';
import type { DiskObjectStore } from '../../local/s3/store';

/** Slow machines. */
const TIMEOUTS = 10;

/** An item with this in its key kills the function that reads it. */
const POISON = 'poison';

const DEATH = `const http = require('node:http');
const { request } = http;
http.request = function (...args) {
  if (args.some((own) => String(own?.path).includes('${POISON}'))) process.kill(process.pid, 'SIGKILL');
  return request.apply(this, args);
};`;

/** Answers a call instead of a function, or lets it run. */
export type Stand = (event: JsonObject) => Promise<Json> | undefined;

/** What a call of a function that fails answers. */
export class FunctionFailed extends Error {
  constructor(
    readonly errorType: string,
    message: string,
  ) {
    super(message);
  }
}

interface Deployed {
  readonly template: Template;
  /** Has the code. */
  readonly assets: DiskObjectStore;
  readonly environment: Readonly<Record<string, string>>;
}

export class Functions {
  /** The events of all calls, in their order. */
  readonly events: JsonObject[] = [];
  /** By ARN: what answers instead of a function. */
  readonly stands = new Map<string, Stand>();
  private readonly server = createServer((request, response) => {
    const functionArn = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.url ?? '')?.[1];
    if (functionArn === undefined) response.writeHead(404).end();
    else
      text(request)
        .then((payload) => this.call(decodeURIComponent(functionArn), payload, response))
        .catch((error: unknown) => {
          response.writeHead(500).end(String(error));
        });
  });
  private readonly pools = new Map<string, FunctionPool>();
  private deployed: Deployed | undefined;
  private readonly concurrency = new Concurrency();

  /** @param folder for code and temporary files */
  static async serve(folder: string): Promise<Functions> {
    const functions = new Functions(folder);
    fs.writeFileSync(path.join(folder, 'death.cjs'), DEATH);
    functions.server.listen(0, '127.0.0.1');
    await once(functions.server, 'listening');
    return functions;
  }

  private constructor(private readonly folder: string) {}

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  deploy(deployed: Deployed): void {
    this.deployed = deployed;
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await Promise.all([...this.pools.values()].map((pool) => pool.close()));
  }

  /** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
  private async call(functionArn: string, payload: string, response: ServerResponse): Promise<void> {
    const parsed = parseJson(payload);
    const event = isJsonObject(parsed) ? parsed : {};
    this.events.push(event);
    const answer = await this.answer(functionArn, payload, event);
    const headers = { 'X-Amz-Executed-Version': '1', 'Content-Type': 'application/json' };
    response.writeHead(200, { ...headers, ...(answer.failed && { 'X-Amz-Function-Error': 'Unhandled' }) });
    response.end(answer.payload);
  }

  private async answer(
    functionArn: string,
    payload: string,
    event: JsonObject,
  ): Promise<{ readonly payload: string; readonly failed: boolean }> {
    try {
      const instead = await this.stands.get(functionArn)?.(event);
      if (instead !== undefined) return { payload: JSON.stringify(instead), failed: false };
    } catch (error) {
      if (!(error instanceof FunctionFailed)) throw error;
      const { errorType, message: errorMessage } = error;
      return { payload: JSON.stringify({ errorType, errorMessage }), failed: true };
    }
    const { payload: answer, failed } = await this.poolOf(functionArn).invoke(payload);
    // A handler may answer nothing.
    return { payload: answer === '' ? 'null' : answer, failed };
  }

  private poolOf(functionArn: string): FunctionPool {
    const known = this.pools.get(functionArn);
    if (known !== undefined) return known;
    const { deployed } = this;
    const found = deployed && findFunction(deployed.template, functionArn);
    if (deployed === undefined || found === undefined) throw new Error(`no function ${functionArn}`);
    const made = this.pool(deployed, readFunction(deployed.template, found.resource), found.version);
    this.pools.set(functionArn, made);
    return made;
  }

  private pool({ assets, environment }: Deployed, fn: FunctionResource, version: string): FunctionPool {
    const { NODE_OPTIONS: own = '' } = fn.environment;
    const deadly = { NODE_OPTIONS: `${own} --require ${path.join(this.folder, 'death.cjs')}` };
    return new FunctionPool(fn, version, {
      code: new CodeFolders(assets, path.join(this.folder, 'code')),
      folder: path.join(this.folder, 'sandboxes'),
      region: environment.AWS_REGION,
      admit: () => ({ environment: { ...environment, ...deadly }, end: () => undefined }),
      concurrency: this.concurrency,
      notices: new Notices(),
      timeouts: TIMEOUTS,
    });
  }
}
