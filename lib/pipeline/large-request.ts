/** Says at synth time that the planned requests do not fit an execution's input, with the limit and the form that the clients use. */
import type { Construct } from 'constructs';
import type { ExecutionInput, InlineTensor } from '../../contract/execution';
import { INPUTS_PREFIX } from '../../contract/keys';
import { MAX_REQUEST_BYTES } from '../../contract/slice-event';
import { CONTRACT_VERSION } from '../../contract/version';
import { inform } from '../aws/annotate';
import { grouped } from '../cost/alternatives/wording';
import type { SlicePlan } from '../plan/file/plan';
import { product, sizedShape, tensorBytes } from '../shapes/value-types';

export function informOfLargeRequest(scope: Construct, plan: SlicePlan): void {
  const bytes = plannedRequestBytes(plan);
  if (bytes === undefined || bytes <= MAX_REQUEST_BYTES) return;
  inform(
    scope,
    'largeRequest',
    `a request of the planned sizes has ${grouped(bytes)} bytes as JSON, and at most ${grouped(MAX_REQUEST_BYTES)} fit into an execution's input: the clients put its tensors into S3 below ${INPUTS_PREFIX} by themselves, and other callers must do so`,
  );
}

/** Bytes of a request with all tensors inside; `undefined` if a size is unknown, as those of strings are. */
function plannedRequestBytes({ inputs, dimensions }: SlicePlan): number | undefined {
  const tensors: [name: string, tensor: InlineTensor][] = [];
  let dataBytes = 0;
  for (const { name, dtype, shape } of inputs) {
    const sizes = sizedShape(name, shape, dimensions);
    if (dtype === 'string' || !sizes?.every((size) => typeof size === 'number')) return undefined;
    tensors.push([name, { dtype, shape: sizes, base64: '' }]);
    dataBytes += 4 * Math.ceil(tensorBytes(dtype, product(sizes)) / 3);
  }
  const request: ExecutionInput = {
    version: CONTRACT_VERSION,
    inputs: { tensors: Object.fromEntries(tensors) },
    output: { inline: 'auto' },
  };
  return Buffer.byteLength(JSON.stringify(request)) + dataBytes;
}
