/** Draws small changes of the product's TypeScript: each replaces the text of one place. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import ts from 'typescript';

/**
 * @typedef {{ file: string, start: number, end: number, replacement: string, kind: string }} Mutant
 */

const PRODUCT = ['lib', 'lambda', 'client', 'local', 'bin', 'contract'];

const OPERATORS = new Map([
  ['<', '<='],
  ['<=', '<'],
  ['>', '>='],
  ['>=', '>'],
  ['===', '!=='],
  ['!==', '==='],
  ['&&', '||'],
  ['||', '&&'],
  ['??', '&&'],
  ['+', '-'],
  ['-', '+'],
  ['*', '/'],
  ['/', '*'],
  ['%', '*'],
  ['+=', '-='],
  ['-=', '+='],
]);

/** Methods whose call is left out, or exchanged for that of another one. */
const METHODS = new Map([
  ['some', 'every'],
  ['every', 'some'],
  ['min', 'max'],
  ['max', 'min'],
  ['ceil', 'floor'],
  ['floor', 'ceil'],
  ['startsWith', 'endsWith'],
  ['endsWith', 'startsWith'],
]);
const LEFT_OUT = new Set(['filter', 'sort', 'reverse', 'slice', 'trim', 'toSorted', 'toReversed']);

/** @returns {string[]} */
export function productFiles(root) {
  return PRODUCT.flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name.split(path.sep).join('/')}`),
  )
    .filter((name) => /(?<!\.d)\.m?ts$/.test(name) && !name.includes('/python/'))
    .sort();
}

/** @returns {Mutant[]} all changes of a file, in the order of its text */
export function mutantsOf(root, file) {
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  /** @type {Mutant[]} */
  const mutants = [];
  const add = (node, replacement, kind, start = node.getStart(source), end = node.getEnd()) => {
    mutants.push({ file, start, end, replacement, kind });
  };
  const visit = (node) => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isBinaryExpression(node)) {
      const { operatorToken, left, right } = node;
      const other = OPERATORS.get(operatorToken.getText(source));
      const isText = [left, right].some(
        (side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side),
      );
      if (other !== undefined && !(isText && other === '-')) add(operatorToken, other, 'operator');
    } else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
      add(node, node.operand.getText(source), 'negation');
    } else if (ts.isNumericLiteral(node)) {
      add(node, String(Number(node.text.replaceAll('_', '')) + 1), 'number');
    } else if (node.kind === ts.SyntaxKind.TrueKeyword) add(node, 'false', 'boolean');
    else if (node.kind === ts.SyntaxKind.FalseKeyword) add(node, 'true', 'boolean');
    else if (ts.isConditionalExpression(node)) {
      const { whenTrue, whenFalse } = node;
      add(node, whenTrue.getText(source), 'choice');
      add(node, whenFalse.getText(source), 'choice');
    } else if (ts.isIfStatement(node)) {
      add(node.expression, 'false as boolean', 'condition');
      add(node.expression, 'true as boolean', 'condition');
    } else if (
      ts.isExpressionStatement(node) &&
      (ts.isCallExpression(node.expression) || ts.isAwaitExpression(node.expression))
    )
      add(node, ';', 'statement');
    else if (ts.isStringLiteralLike(node) && node.text !== '' && isValue(node)) add(node, "''", 'text');
    else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { name, expression } = node.expression;
      const other = METHODS.get(name.text);
      if (other !== undefined) add(name, other, 'method');
      if (LEFT_OUT.has(name.text)) add(node, expression.getText(source), 'call');
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return mutants;
}

/** Not a name of a property or of a module. */
function isValue(node) {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false;
  if (ts.isElementAccessExpression(parent) || ts.isExternalModuleReference(parent)) return false;
  return !(ts.isCallExpression(parent) && /^(require|import)$/.test(parent.expression.getText()));
}

export function mutated(text, { start, end, replacement }) {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** Mulberry32: the same seed draws the same numbers on all machines. */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** All mutants in random order. */
export function drawn(root, seed) {
  const all = productFiles(root).flatMap((file) => mutantsOf(root, file));
  const random = randomNumbers(seed);
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [all[last], all[other]] = [all[other], all[last]];
  }
  return all;
}
