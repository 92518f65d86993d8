/** Runs the slice for one event: reads its tensors, runs the session, and writes the outputs or answers them. */
import type { SliceAnswer, SliceEvent } from '../../contract/slice-event';
import { messageOf, sliceFailed } from '../errors';
import type { SliceForRun } from '../slice/resident-slice';
import { processOf } from '../telemetry/processor';
import { roundedTenth, Stopwatch } from '../telemetry/telemetry';
import { tensorBytes } from '../tensors/tensor';
import type { Receiver } from './results';
import {
  expectsWrite,
  parseRequest,
  pick,
  readTensors,
  storeOfOutputs,
  writeTensors,
  type Stores,
} from './slice-tensors';

interface RunningCall {
  readonly startedAt: number;
  readonly isWhole: boolean;
  /** @default 'state' */
  readonly receiver?: Receiver;
}

/** Reads the tensors while the slice loads, so a bad request fails without waiting for the weights. */
export async function runSlice(
  event: SliceEvent,
  { manifest: manifestPromise, loaded }: SliceForRun,
  stores: Stores,
  { startedAt, isWhole, receiver = 'state' }: RunningCall,
): Promise<SliceAnswer> {
  const watch = new Stopwatch();
  // If reading fails first, nothing awaits the load any more: mark its rejection as handled.
  loaded.catch(() => undefined);
  const manifest = await manifestPromise;
  const input = parseRequest(event, manifest, receiver);
  const inline = input?.inline ?? 'auto';
  const target = expectsWrite(event, manifest, { inline, receiver })
    ? storeOfOutputs(manifest, stores)
    : undefined;
  void target?.prepareConnection();
  const [{ slice: loadedSlice, timing: load }, { tensors: read, ...request }] = await Promise.all([
    loaded,
    readTensors(event, input, manifest, stores),
  ]);
  const { session, weightBytes } = loadedSlice;
  const loadMsOfCall = load.warmedUp ? 0 : load.loadMs;
  const readMs = Math.max(0, roundedTenth(watch.lap() - loadMsOfCall));

  // ONNX Runtime blocks the thread, so a connection that opens meanwhile would wait.
  await target?.prepareConnection();
  const connectMs = watch.lap();
  const wanted = manifest.outputs.map(({ name }) => name);
  const computed = await session.run(pick(read, manifest.inputs), wanted).catch((error: unknown) => {
    throw sliceFailed(withoutValues(messageOf(error)));
  });
  const runMs = watch.lap();

  const { bytesWritten, ...written } = await writeTensors(
    event,
    manifest,
    { read, computed },
    { inline, receiver, ...request },
    stores,
  );
  const writeMs = roundedTenth(connectMs + watch.lap());

  const { slice } = manifest;
  const bytesRead = [...read.values()].reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  const sizes = { weightBytes, bytesRead, bytesWritten, ...processOf(stores.memoryBytes) };
  return {
    slice,
    ...written,
    timing: {
      ...(isWhole ? { whole: true } : { slice }),
      startedAt,
      ...load,
      readMs,
      runMs,
      writeMs,
      ...sizes,
    },
  };
}

/** What is before the reason in a message of ONNX Runtime: the operator and the node. */
const REASON = 'Status Message:';

/**
 * Removes values of tensors from a message of ONNX Runtime, because the cause and the log of a failure never repeat the
 * contents of a request. Numbers in braces stay: they are shapes. The operator and the name of the node are before the reason.
 */
export function withoutValues(message: string): string {
  const at = message.indexOf(REASON);
  if (at < 0) return message;
  const reason = message
    .slice(at)
    .replaceAll(/\{[-\d,\s]*\}|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/gi, (found) =>
      found.startsWith('{') ? found : '#',
    )
    .replaceAll(/'[^']*'|"[^"]*"/g, '#');
  return message.slice(0, at) + reason;
}
