/**
 * The parameters of a request, checked against the constraints of the API's model, in the words of AWS.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html
 */
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../json';
import { ApiError } from './api-error';

interface TextLimits {
  readonly from?: number;
  readonly to: number;
  readonly pattern?: RegExp;
}

/** Arn, whose characters are checked later. */
const ARN: TextLimits = { from: 1, to: 256 };

export class Parameters {
  private readonly values: JsonObject;

  constructor(body: string) {
    const values = parseJson(body === '' ? '{}' : body);
    if (values === undefined) throw new ApiError('SerializationException', 'the body is not JSON');
    if (!isJsonObject(values)) throw new ApiError('SerializationException', 'Start of structure expected');
    this.values = values;
  }

  arn(name: string): string {
    const value = this.text(name, ARN);
    if (value === undefined) throw invalid('null', name, 'Member must not be null');
    return value;
  }

  text(name: string, { from = 0, to, pattern }: TextLimits): string | undefined {
    const value = this.values[name] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw mistyped('STRING_VALUE', value);
    if (value.length < from)
      throw invalid(value, name, `Member must have length greater than or equal to ${from}`);
    if (value.length > to) throw invalid('', name, `Member must have length less than or equal to ${to}`);
    if (pattern !== undefined && !pattern.test(value)) {
      throw invalid(value, name, `Member must satisfy regular expression pattern: ${pattern.source}`);
    }
    return value;
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.text(name, { to: 256 });
    const known = choices.find((choice) => choice === value);
    if (value === undefined || known !== undefined) return known;
    throw invalid(value, name, `Member must satisfy enum value set: [${choices.join(', ')}]`);
  }

  /** Whether the caller wants inputs, outputs and definitions. */
  includesData(): boolean {
    return this.choice('includedData', ['ALL_DATA', 'METADATA_ONLY']) !== 'METADATA_ONLY';
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.values[name] ?? otherwise;
    if (typeof value !== 'boolean') throw mistyped('TRUE_VALUE or FALSE_VALUE', value);
    return value;
  }

  /** The number of results on a page; the default of 100 if it is absent or 0. */
  pageSize(): number {
    const value = this.values.maxResults ?? 0;
    if (typeof value !== 'number' || !Number.isInteger(value)) throw mistyped('NUMBER_VALUE', value);
    if (value < 0)
      throw invalid(String(value), 'maxResults', 'Member must have value greater than or equal to 0');
    if (value > 1000)
      throw invalid(String(value), 'maxResults', 'Member must have value less than or equal to 1000');
    return value === 0 ? 100 : value;
  }
}

function invalid(value: string, name: string, constraint: string): ApiError {
  const shown = value === '' ? 'Value' : value === 'null' ? 'Value null' : `Value '${value}'`;
  return new ApiError(
    'ValidationException',
    `1 validation error detected: ${shown} at '${name}' failed to satisfy constraint: ${constraint}`,
  );
}

function mistyped(expected: string, value: Json): ApiError {
  return new ApiError('SerializationException', `expected ${expected}, got ${JSON.stringify(value)}`);
}
