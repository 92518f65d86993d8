/** The request of the interface: https://platform.openai.com/docs/api-reference/embeddings/create */
import { ApiError } from './api-error';

export interface EmbeddingsRequest {
  /** Texts, or tokens of the model's vocabulary. */
  readonly inputs: readonly (string | readonly number[])[];
  readonly format: 'float' | 'base64';
  readonly dimensions: number | undefined;
}

/** The name by which callers ask for the model. */
export const MODEL_NAME = 'all-MiniLM-L6-v2';

/** So many vectors fit into an answer, also as numbers. The interface allows 2,048. */
const MAX_INPUTS = 512;

/**
 * @param isHttp other callers may leave the name of the model out
 * @throws ApiError for the first field that is wrong. Unknown fields are ignored, and so is `user`
 */
export function checkRequest(value: unknown, isHttp: boolean): EmbeddingsRequest {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ApiError(400, 'the body must be a JSON object with `input` and `model`');
  const { model, input, encoding_format: encoding, dimensions: given } = value as Record<string, unknown>;
  // Some clients write null for what they leave out.
  const format = encoding ?? 'float';
  const dimensions = given ?? undefined;
  if (typeof model !== 'string' && (isHttp || model !== undefined)) {
    throw new ApiError(400, `model must be '${MODEL_NAME}', got ${kindOf(model)}`, { param: 'model' });
  }
  if (typeof model === 'string' && model !== MODEL_NAME) {
    const more = { param: 'model', code: 'model_not_found' };
    throw new ApiError(
      404,
      `model must be '${MODEL_NAME}', got ${JSON.stringify(model.slice(0, 100))}`,
      more,
    );
  }
  if (format !== 'float' && format !== 'base64')
    throw new ApiError(400, "encoding_format must be 'float' or 'base64'", { param: 'encoding_format' });
  if (dimensions !== undefined && !(Number.isInteger(dimensions) && (dimensions as number) > 0))
    throw new ApiError(400, 'dimensions must be a whole number above 0', { param: 'dimensions' });
  return { inputs: inputsOf(input), format, dimensions: dimensions as number | undefined };
}

function inputsOf(input: unknown): EmbeddingsRequest['inputs'] {
  const inputs = typeof input === 'string' || isTokens(input) ? [input] : input;
  const isKnown = Array.isArray(inputs) && inputs.every((each) => typeof each === 'string' || isTokens(each));
  if (!isKnown) {
    const message = `input must be a text, a list of texts, or tokens, got ${kindOf(input)}`;
    throw new ApiError(400, message, { param: 'input' });
  }
  if (inputs.length < 1 || inputs.length > MAX_INPUTS) {
    const message = `input must have 1 to ${MAX_INPUTS} texts, got ${inputs.length}`;
    throw new ApiError(400, message, { param: 'input' });
  }
  if (inputs.includes('')) throw new ApiError(400, 'input must not be an empty text', { param: 'input' });
  return inputs;
}

function isTokens(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((id) => Number.isInteger(id) && id >= 0);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'none';
  if (value === null) return 'null';
  return Array.isArray(value) ? `a list of ${value.length}` : `a ${typeof value}`;
}
