/** Valid requests in S3, one for each model. */
import type { InlineTensor } from '../../../contract/execution';
import { Random } from '../random';
import { decoded, type Tensors } from './expected-results';
import { echoTensors, STORED_KEYS, tinyTensors, type ModelName } from './valid-requests';

interface StoredRequest {
  readonly key: string;
  readonly tensors: Tensors;
}

const random = new Random('stored requests');

export const STORED_REQUESTS: Readonly<Record<ModelName, StoredRequest>> = {
  tiny: { key: STORED_KEYS.tiny, tensors: allDecoded(tinyTensors(random)) },
  echo: { key: STORED_KEYS.echo, tensors: allDecoded(echoTensors(random)) },
};

function allDecoded(tensors: object): Tensors {
  return new Map(Object.entries(tensors).map(([name, tensor]) => [name, decoded(tensor as InlineTensor)]));
}
