import type { YamlNode } from '../falco/yaml.js';
import { parseCondition } from './condition.js';
import { excerpt, SigmaError, UnsupportedError } from './errors.js';
import { allOf, anyOf, type Expression } from './expression.js';
import { checkOf, type Placeholders } from './modifiers.js';

/** Lists within lists; rules have two. */
const maxDepth = 20;

/** Tests that a rule may come to once its condition is filled in. */
const maxTests = 200_000;

/** What a rule's `detection` asks. */
export function detectionOf(node: YamlNode, placeholders: Placeholders): Expression {
  if (node.kind !== 'map') throw new SigmaError("'detection' is a map of selections and a condition", node.mark);
  const selections = new Map<string, Expression>();
  const sizes = new Map<Expression, number>();
  // What cannot be evaluated may be a selection that no condition names.
  let unsupported: UnsupportedError | undefined;
  for (const { key, value } of node.pairs) {
    const name = nameOf(key);
    if (name === 'condition' || name === 'timeframe') continue;
    if (selections.has(name)) throw new SigmaError(`selection '${excerpt(name)}' stands twice`, key.mark);
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
  if (sizeOf(expression, sizes) > maxTests) throw new UnsupportedError(`it comes to more than ${maxTests} tests`);
  return expression;
}

function conditionOf(detection: YamlNode & { kind: 'map' }, selections: ReadonlyMap<string, Expression>): Expression {
  const condition = detection.get('condition');
  const conditions = condition?.kind === 'sequence' ? condition.items : [condition];
  if (condition === undefined || conditions.length === 0)
    throw new SigmaError("'detection' has no condition", detection.mark);
  return anyOf(
    conditions.map((one) => {
      if (one?.kind !== 'scalar') throw new SigmaError('a condition is a text', one?.mark ?? detection.mark);
      return parseCondition(one.text, selections, one.mark);
    }),
  );
}

/** A map of fields, a value that any field may hold, or a list of these. */
function selectionOf(node: YamlNode, placeholders: Placeholders, depth: number): Expression {
  if (depth > maxDepth) throw new SigmaError('it has too many lists within each other', node.mark);
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
        throw new SigmaError(`'${excerpt(name)}' stands twice; use '|all' or another selection`, key.mark);
      seen.add(name);
      return checkOf(name, value, key.mark, placeholders);
    }),
  );
}

function nameOf(key: YamlNode): string {
  if (key.kind === 'scalar') return key.text;
  throw new SigmaError('a key is a text', key.mark);
}

/** Tests in an expression, whose parts may stand in it several times. */
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
