/** Finds the messages in files of logs, in each form in which AWS and the local cloud give them. */
import { REPORT_START } from './call-messages';

/** Longest line that is looked at. Lines of slice functions have less than 2 KB; CloudWatch allows 1 MiB. */
const MAX_LINE_CHARACTERS = 16 * 1024;

const MESSAGE_START = new RegExp(String.raw`\{"|${REPORT_START}`);

/**
 * The forms: `aws logs filter-log-events --output json` (`events`), `aws logs get-query-results` (`results`), an export of Logs
 * Insights (a list of objects with `@message`), and lines of text or JSON with or without a prefix such as `SliceFunction0: `.
 */
export function messagesOf(content: string): string[] {
  const whole = parsed(content);
  const listed = whole === undefined ? undefined : listedMessages(whole);
  return listed ?? content.split('\n').flatMap(lineMessage);
}

function listedMessages(value: unknown): string[] | undefined {
  if (Array.isArray(value)) return value.flatMap(exportedRow);
  if (!isObject(value)) return undefined;
  if (Array.isArray(value.events)) return value.events.flatMap(event);
  if (Array.isArray(value.results)) return value.results.flatMap(queriedRow);
  return undefined;
}

function event(value: unknown): string[] {
  return isObject(value) ? message(value.message) : [];
}

/** A row of a query: a list of fields with names and values. */
function queriedRow(row: unknown): string[] {
  if (!Array.isArray(row)) return [];
  const valueOf = (name: string): unknown =>
    (row as unknown[]).filter(isObject).find(({ field }) => field === name)?.value;
  return message(valueOf('@message'));
}

function exportedRow(row: unknown): string[] {
  if (!isObject(row)) return [];
  return '@message' in row ? message(row['@message']) : event(row);
}

function message(text: unknown): string[] {
  return typeof text === 'string' ? [text.slice(0, MAX_LINE_CHARACTERS)] : [];
}

/** Before the message may be the name of a function, or a time and a stream. */
function lineMessage(line: string): string[] {
  if (line.trim() === '') return [];
  const text = line.slice(0, MAX_LINE_CHARACTERS);
  const start = MESSAGE_START.exec(text)?.index ?? 0;
  return [text.slice(start).trim()];
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
