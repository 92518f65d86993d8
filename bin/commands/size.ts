/** Sizes as users write them in flags. */
import bytes from 'bytes';
import { InvalidArgumentError } from 'commander';

/** Bytes of a text such as `64MB` or `1.5 GiB`, with MB = 2^20 bytes. */
export function size(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgt]?)(?:i?b)?$/i.exec(text);
  const parsed = match && bytes.parse(`${match[1]}${match[2]}B`);
  if (parsed === null) throw new InvalidArgumentError('It must be a size such as 64MB.');
  return parsed;
}
