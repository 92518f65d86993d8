/** Finds the messages in files of logs, in the forms in which the AWS CLI and the local cloud give them. */
import { isRecord } from '../../lambda/json-values';
import { REPORT_START } from './call-messages';

/** Longest line that is looked at. Lines of slice functions have less than 2 KB; CloudWatch allows 1 MiB. */
const MAX_LINE_CHARACTERS = 16 * 1024;

const MESSAGE_START = new RegExp(String.raw`\{"|${REPORT_START}`);

/** `aws logs filter-log-events --output json`, or lines of text or JSON with or without a prefix such as `SliceFunction0: `. */
export function messagesOf(content: string): string[] {
  return listedEvents(content)?.flatMap(eventMessage) ?? content.split('\n').flatMap(lineMessage);
}

function listedEvents(content: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(content);
    return isRecord(value) && Array.isArray(value.events) ? value.events : undefined;
  } catch {
    // Lines of JSON are not one document.
    return undefined;
  }
}

function eventMessage(event: unknown): string[] {
  const text = isRecord(event) ? event.message : undefined;
  return typeof text === 'string' ? [text.slice(0, MAX_LINE_CHARACTERS)] : [];
}

/** Before the message may be the name of a function, or a time and a stream. */
function lineMessage(line: string): string[] {
  if (line.trim() === '') return [];
  const text = line.slice(0, MAX_LINE_CHARACTERS);
  return [text.slice(MESSAGE_START.exec(text)?.index ?? 0).trim()];
}
