import type { YamlNode } from '../falco/yaml.js';
import { parseCondition } from './condition.js';
import { excerpt, SigmaError, UnsupportedError } from './errors.js';
import { allOf, anyOf, type Expression } from './expression.js';
import { checkOf, type Placeholders } from './modifiers.js';

/** Maximum nesting depth of lists; real rules have two. */
const maxDepth = 20;

/** Maximum tests of a rule with its condition expanded. */
const maxTests = 200_000;

/** Parses a rule's `detection`. */
export function detectionOf(node: YamlNode, placeholders: Placeholders): Expression {
  if (node.kind !== 'map')
    throw new SigmaError("'detection' must be a map of selections and a condition", node.mark);
  const selections = new Map<string, Expression>();
  const sizes = new Map<Expression, number>();
  // Unsupported selections matter only if the condition uses them.
  let unsupported: UnsupportedError | undefined;
  for (const { key, value } of node.pairs) {
    const name = nameOf(key);
    if (name === 'condition' || name === 'timeframe') continue;
    if (selections.has(name))
      throw new SigmaError(`duplicate selection '${excerpt(name)}'`, key.mark);
    try {
      selections.set(name, selectionOf(value, placeholders, 0));
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      unsupported ??= error;
      selections.set(name, { kind: 'or', items: [] });
    }
  }
  if (selections.size === 0) throw new SigmaError("'detection' has no selection", node.mark);
  const expression = conditionOf(node, selections);
  if (unsupported !== undefined) throw unsupported;
  if (sizeOf(expression, sizes) > maxTests)
    throw new UnsupportedError(`it has more than ${maxTests} tests`);
  return expression;
}

function conditionOf(
  detection: YamlNode & { kind: 'map' },
  selections: ReadonlyMap<string, Expression>,
): Expression {
  const condition = detection.get('condition');
  const conditions = condition?.kind === 'sequence' ? condition.items : [condition];
  if (condition === undefined || conditions.length === 0)
    throw new SigmaError("'detection' has no condition", detection.mark);
  return anyOf(
    conditions.map((one) => {
      if (one?.kind !== 'scalar')
        throw new SigmaError('a condition must be a text', one?.mark ?? detection.mark);
      return parseCondition(one.text, selections, one.mark);
    }),
  );
}

/** Parses a map of fields, a value to search in any field, or a list of these. */
function selectionOf(node: YamlNode, placeholders: Placeholders, depth: number): Expression {
  if (depth > maxDepth) throw new SigmaError('it has too many nested lists', node.mark);
  if (node.kind === 'map') return fieldsOf(node, placeholders);
  if (node.kind !== 'sequence') return checkOf('', node, node.mark, placeholders);
  if (node.items.length === 0) throw new SigmaError('a selection is empty', node.mark);
  if (node.items.every(({ kind }) => kind === 'scalar' || kind === 'null'))
    return checkOf('', node, node.mark, placeholders);
  return anyOf(node.items.map((item) => selectionOf(item, placeholders, depth + 1)));
}

function fieldsOf(node: YamlNode & { kind: 'map' }, placeholders: Placeholders): Expression {
  if (node.pairs.length === 0) throw new SigmaError('a selection is empty', node.mark);
  const seen = new Set<string>();
  return allOf(
    node.pairs.map(({ key, value }) => {
      const name = nameOf(key);
      if (seen.has(name))
        throw new SigmaError(
          `duplicate key '${excerpt(name)}'; use '|all' or another selection`,
          key.mark,
        );
      seen.add(name);
      return checkOf(name, value, key.mark, placeholders);
    }),
  );
}

function nameOf(key: YamlNode): string {
  if (key.kind === 'scalar') return key.text;
  throw new SigmaError('a key must be a text', key.mark);
}

/** Number of tests in an expression, counting repeated parts each time. */
function sizeOf(expression: Expression, known: Map<Expression, number>): number {
  const before = known.get(expression);
  if (before !== undefined) return before;
  const size =
    expression.kind === 'check'
      ? 1
      : expression.kind === 'not'
        ? sizeOf(expression.item, known)
        : expression.items.reduce((sum, item) => sum + sizeOf(item, known), 0);
  known.set(expression, size);
  return size;
}
