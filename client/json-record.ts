/** Parses JSON of others. */
import { isRecord, type JsonRecord } from '../lambda/json-values';

/** The object that the text contains; `undefined` if it contains something else or is no JSON. */
export function parsedRecord(text: string): JsonRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    // The caller reports what it expected. The parser's message quotes the text, which can be anything.
    return undefined;
  }
}
