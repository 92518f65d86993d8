/** Checks the message of a refusal. */

/** Limit of an error message, in characters. */
const MAX_MESSAGE_LENGTH = 2000;

/** @throws if the message is long, or has characters that garble a line */
export function checkMessage(message: string): void {
  if (message.length > MAX_MESSAGE_LENGTH) throw new Error(`a message of ${message.length} characters`);
  const odd = /[\p{Cc}\p{Zl}\p{Zp}]/u.exec(message);
  if (odd === null) return;
  throw new Error(`a message with the character ${odd[0].charCodeAt(0)}: ${JSON.stringify(message)}`);
}
