/** Creates the functions of a local cloud. Each sandbox reaches S3 with credentials of its own. */
import * as path from 'node:path';
import type { FunctionResource } from '../cloudformation/resources';
import type { FaultTarget } from '../faults/injector';
import { roleSession } from '../iam/principals';
import { startWithFaults } from '../lambda/call-faults';
import { CodeFolders } from '../lambda/code';
import { Concurrency } from '../lambda/concurrency';
import type { Admission } from '../lambda/function-pool';
import { LocalFunctions } from '../lambda/local-functions';
import { type CloudHost, logRefusal } from './deploy-machines';

export function createFunctions(host: CloudHost): LocalFunctions {
  const { store, folder, authorizer, injector, options } = host;
  return new LocalFunctions({
    code: new CodeFolders(store, path.join(folder, 'code')),
    folder: path.join(folder, 'workers'),
    region: host.region,
    admit: (fn, sandbox) => admit(host, fn, sandbox),
    beforeStart: (fn, payload) => startWithFaults(injector, fn.name, payload),
    logRefusal: (fn, logStream) => logRefusal(authorizer, fn, logStream),
    concurrency: new Concurrency(options.concurrency),
    nodeBinaries: options.nodeBinaries,
    notices: host.notices,
    timeouts: host.timeouts,
    coldStartMs: host.simulator.coldStartMs,
    onLog: options.onLog,
  });
}

function admit(
  { simulator, callers, endpoints }: CloudHost,
  fn: FunctionResource,
  target: FaultTarget,
): Admission {
  const traffic = simulator.trafficOf(fn.name);
  const credentials = callers.addTemporary({
    principal: roleSession(fn.roleArn, fn.name, { functionArn: fn.arn }),
    ...(traffic && { traffic }),
    target,
  });
  return {
    environment: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
      ...endpoints(),
    },
    onFrozen: () => {
      traffic?.freeze();
    },
    end: () => {
      callers.remove(credentials);
    },
  };
}
