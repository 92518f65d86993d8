import { MAX_REQUEST_BYTES } from '../../../../contract/slice-event';
import { boundedRequest } from '../../../../lib/aws/workflow/state-tensors';
import type { Json } from '../../../../local/json';
import { run, task } from '../../../support/machine-fixture';

/** The request in the event of a run with this input. */
async function sent(input: Json): Promise<Json | undefined> {
  const request = boundedRequest('$states.context.Execution.Input');
  const { payloads } = await run(task({ Arguments: { FunctionName: 'fn', Payload: { request } } }), {
    input,
  });
  return (payloads.at(0) as { request: Json } | undefined)?.request;
}

/** Characters of two, three and four bytes, of each another number, so that wrong widths of two do not make up for each other. */
const MIXED = 'éé漢🙂🙂🙂';

/** A request of this many bytes as JSON that repeats the text as far as possible. */
function requestOf(bytes: number, text: string): { a: string } {
  const rest = bytes - Buffer.byteLength(JSON.stringify({ a: '' }));
  const width = Buffer.byteLength(text);
  return { a: text.repeat(Math.floor(rest / width)) + 'x'.repeat(rest % width) };
}

it.each(['A', MIXED])('the request in an event is the request if it has 255 KiB of %s', async (text) => {
  const request = requestOf(MAX_REQUEST_BYTES, text);
  expect(Buffer.byteLength(JSON.stringify(request))).toBe(261_120);
  expect(await sent(request)).toEqual(request);
});

it.each(['A', MIXED])('the request in an event is its size if it has a byte more of %s', async (text) => {
  expect(await sent(requestOf(MAX_REQUEST_BYTES + 1, text))).toEqual({ requestBytes: 261_121 });
});

it('the request in an event is the request if it is small, whatever it is', async () => {
  for (const request of [{}, { list: [1] }, { list: [] }, { nothing: null }, ['a'], 'text', 7])
    expect(await sent(request)).toEqual(request);
});
