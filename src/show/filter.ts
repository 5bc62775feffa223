import type { SharedValue } from '../check/sql/row-rule.js';
import type { Attribute } from '../check/sysflow/attributes.js';
import { attributeOf } from '../check/sysflow/attributes.js';
import { compile, sharedValues } from '../check/sysflow/compile.js';
import { type Expression, PolicyError, parseCondition } from '../check/sysflow/grammar.js';
import { resolveCondition } from '../check/sysflow/policy.js';
import type { CompatMode } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { compileExactly } from './condition.js';

/** A condition of the SysFlow query language, as SQL over the rows of all events and flows. */
export interface RowFilter {
  sql: string;
  needsAncestors: boolean;
  /** Columns that the SQL uses in addition, by name. */
  values: Readonly<Record<string, SharedValue>>;
  /** Names of those that it uses itself. */
  names: readonly string[];
}

/**
 * Compiles a condition. With `compat` it means what the SysFlow processor makes of it. Throws an
 * INVALID_ARGUMENT for a wrong one.
 */
export function readFilter(text: string, compat: CompatMode | undefined): RowFilter {
  const condition = parsed(text, compat === undefined);
  if (compat === undefined) return { ...compileExactly(condition), values: {}, names: [] };
  const { sql, attributes, absent, values } = compile(resolved(withPrefixes(condition), text));
  if (absent.size > 0) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `--filter: tables do not contain ${[...absent].join(', ')}`,
    );
  }
  const needs = [...attributes].flatMap((name) => (attributeOf(name) as Attribute).needs ?? []);
  return {
    sql,
    needsAncestors: needs.includes('ancestors'),
    values: sharedValues(attributes),
    names: [...values],
  };
}

/** Attributes of policies start with sf. everywhere, those of sysprint need not. */
function withPrefixes(condition: Expression): Expression {
  const prefixed = (atom: string) =>
    attributeOf(atom) === undefined && attributeOf(`sf.${atom}`) !== undefined
      ? `sf.${atom}`
      : atom;
  switch (condition.kind) {
    case 'or':
    case 'and':
      return { ...condition, of: condition.of.map(withPrefixes) };
    case 'not':
      return { ...condition, of: withPrefixes(condition.of) };
    case 'exists':
      return { ...condition, atom: prefixed(condition.atom) };
    case 'any':
      return { ...condition, left: prefixed(condition.left) };
    case 'compare':
      return { ...condition, left: prefixed(condition.left), right: prefixed(condition.right) };
    default:
      return condition;
  }
}

function parsed(text: string, isExact: boolean): Expression {
  return atPlace(text, () => parseCondition(text, isExact));
}

function resolved(condition: Expression, text: string) {
  return atPlace(text, () => resolveCondition(condition));
}

function atPlace<Result>(text: string, make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const column = [...text.slice(0, error.at)].length + 1;
    throw new SfkitError('INVALID_ARGUMENT', `--filter, column ${column}: ${error.message}`);
  }
}
