/** Finds the messages in files of logs, in each form in which AWS and the local cloud give them. */
import { MAX_LINE_CHARACTERS } from './limits';

export interface LogMessage {
  /** Messages of one sandbox follow each other. A file without streams is one stream. */
  readonly stream: string;
  readonly text: string;
}

/**
 * The forms: `aws logs filter-log-events --output json` (`events`), `aws logs get-query-results` (`results`), an export of Logs
 * Insights (a list of objects with `@message`), and lines of text or JSON with or without a prefix such as `SliceFunction0: `.
 */
export function messagesOf(content: string): LogMessage[] {
  const whole = parsed(content);
  const listed = whole === undefined ? undefined : listedMessages(whole);
  return listed ?? content.split('\n').flatMap(lineMessage);
}

function listedMessages(value: unknown): LogMessage[] | undefined {
  if (Array.isArray(value)) return value.flatMap(exportedRow);
  if (!isObject(value)) return undefined;
  if (Array.isArray(value.events)) return value.events.flatMap(event);
  if (Array.isArray(value.results)) return value.results.flatMap(queriedRow);
  return undefined;
}

function event(value: unknown): LogMessage[] {
  if (!isObject(value)) return [];
  return message(value.message, value.logStreamName);
}

/** A row of a query: a list of fields with names and values. */
function queriedRow(row: unknown): LogMessage[] {
  if (!Array.isArray(row)) return [];
  const valueOf = (name: string): unknown =>
    (row as unknown[]).filter(isObject).find(({ field }) => field === name)?.value;
  return message(valueOf('@message'), valueOf('@logStream'));
}

function exportedRow(row: unknown): LogMessage[] {
  if (!isObject(row)) return [];
  return '@message' in row ? message(row['@message'], row['@logStream']) : event(row);
}

function message(text: unknown, stream: unknown): LogMessage[] {
  if (typeof text !== 'string') return [];
  return [{ stream: typeof stream === 'string' ? stream : '', text: text.slice(0, MAX_LINE_CHARACTERS) }];
}

/** What is before the message tells one function from another: a name, or a time and a stream. */
function lineMessage(line: string): LogMessage[] {
  if (line.trim() === '') return [];
  const text = line.slice(0, MAX_LINE_CHARACTERS);
  const start = /\{"|REPORT RequestId:/.exec(text)?.index ?? 0;
  const stream = text.slice(0, start).replace(/\d{4}-\d\d-\d\dT\S+/, '');
  return [{ stream: stream.trim(), text: text.slice(start).trim() }];
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    // Lines of JSON are not one document.
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
