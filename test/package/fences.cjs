// The fenced blocks of Markdown documents. A CommonJS module, because Jest cannot import the others here.
'use strict';

/** The first word after the fence is the language, attributes follow. Indented fences do not occur. */
const FENCE = /^```(\w*)([^\n]*)\n([\s\S]*?)^```$/gm;

/** Such as `file=app.ts` or `skip="needs an AWS account"`. */
const ATTRIBUTE = /(\w+)=(?:"([^"]*)"|(\S+))/g;

/**
 * Returns the blocks of a document, in its order.
 *
 * @param {string} name the document's name, for places
 * @param {string} markdown
 */
exports.blocksOf = (name, markdown) =>
  [...markdown.matchAll(FENCE)].map(({ 1: language, 2: rest, 3: text, index }) => ({
    place: `${name}:${markdown.slice(0, index).split('\n').length}`,
    language,
    attributes: Object.fromEntries(
      [...rest.matchAll(ATTRIBUTE)].map(([, key, quoted, bare]) => [key, quoted ?? bare]),
    ),
    text,
  }));

/**
 * Returns the document without its blocks.
 *
 * @param {string} markdown
 */
exports.proseOf = (markdown) => markdown.replace(FENCE, '');
