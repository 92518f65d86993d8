/** Before the model, inside its function: the request of a caller becomes the model's inputs. */
import * as path from 'node:path';
import { type HandlerContext, preprocessHandler } from 'cdk-sliced-inference/client';
import { ApiError } from './api-error';
import type { CallNotes } from './call-notes';
import { checkRequest } from './embeddings-request';
import { isHttpEvent, readBody } from './http-request';
import { Tokens } from './tokens';

/** The inputs that the model has, because not every export has `token_type_ids`. */
const INPUTS = (process.env.MODEL_INPUTS ?? '').split(',');

let reading: Promise<Tokens> | undefined;

export const handler = preprocessHandler(async (event, context) => {
  const isHttp = isHttpEvent(event);
  const { inputs, format, dimensions } = checkRequest(isHttp ? readBody(event) : event, isHttp);
  reading ??= Tokens.read(path.join(__dirname, 'tokenizer.json'));
  const ids = (await reading).idsOf(inputs);
  const lengths = ids.map((own) => own.length);
  note(context, { lengths, format, dimensions });
  return tensorsOf(ids, Math.max(...lengths));
});

/**
 * For `postprocess`, which runs in the same call. A batch calls it apart, so it learns nothing there: an item has
 * one text, without padding.
 */
function note({ call, maxBytes }: HandlerContext, notes: CallNotes): void {
  // Only a call that computes takes more than a state of Step Functions.
  const isItem = maxBytes === undefined;
  if (isItem && (notes.lengths.length > 1 || notes.format !== 'float' || notes.dimensions !== undefined))
    throw new ApiError(400, 'an item of a batch must be { "input": "one text" }, got more');
  if (call) Object.assign(call, notes);
}

/** All int64 [texts, tokens]: the ids and then zeros, 1 for tokens and 0 for padding, and the only segment. */
function tensorsOf(ids: readonly (readonly number[])[], width: number) {
  const shape = [ids.length, width];
  const [words, mask] = [new BigInt64Array(ids.length * width), new BigInt64Array(ids.length * width)];
  ids.forEach((own, row) => {
    own.forEach((id, column) => {
      words[row * width + column] = BigInt(id);
      mask[row * width + column] = 1n;
    });
  });
  const all: Readonly<Record<string, BigInt64Array>> = {
    input_ids: words,
    attention_mask: mask,
    token_type_ids: new BigInt64Array(words.length),
  };
  return Object.fromEntries(INPUTS.map((name) => [name, { shape, data: all[name] }]));
}
