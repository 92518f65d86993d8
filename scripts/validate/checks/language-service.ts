/** The language service of AWS's editors on resolved definitions, whose diagnostics count as errors. */
import { getLanguageService, TextDocument } from 'amazon-states-language-service';
import type { JsonObject } from '../../../local/basics/json';
import { checkOf, type Finding } from '../check';
import { definitionsOf } from '../definitions';

const service = getLanguageService({});

export async function diagnostics(place: string, definition: JsonObject): Promise<Finding[]> {
  const text = JSON.stringify(definition, undefined, 1);
  const document = TextDocument.create('file:///definition.asl.json', 'json', 1, text);
  const found = await service.doValidation(document, service.parseJSONDocument(document));
  return found.map(({ message, range }) => {
    const line = text.split('\n').at(range.start.line) ?? '';
    return {
      place,
      message: `line ${range.start.line + 1}, ${line.trim()}: ${typeof message === 'string' ? message : message.value}`,
    };
  });
}

export const languageService = checkOf('language service', async (subject) => {
  const all = definitionsOf(subject).map(({ place, definition }) => diagnostics(place, definition));
  return (await Promise.all(all)).flat();
});
