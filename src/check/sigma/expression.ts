import type { Network } from './network.js';
import type { Pattern } from './pattern.js';

/** The condition of a rule on an event. */
export type Expression =
  | { kind: 'and' | 'or'; items: readonly Expression[] }
  | { kind: 'not'; item: Expression }
  | Check;

/** A test of one field, or of any field if `field` is undefined. */
export interface Check {
  kind: 'check';
  field: string | undefined;
  test: Test;
}

export type Test =
  | { kind: 'text'; pattern: Pattern; cased: boolean }
  | {
      kind: 'number';
      operator: Comparison;
      /** In decimal digits. */
      number: string;
      /** As written in the rule. */
      text: string;
      part: TimePart | undefined;
    }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'null' }
  | { kind: 'exists'; wanted: boolean }
  /** `regex` is in RE2's syntax. */
  | { kind: 'regex'; regex: string }
  | { kind: 'network'; network: Network }
  | { kind: 'reference'; field: string; place: Place; cased: boolean };

export type Comparison = '=' | '<' | '<=' | '>' | '>=';
export type TimePart = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';
/** Where in the field the other text is expected. */
export type Place = 'whole' | 'start' | 'end' | 'anywhere';

export function allOf(items: readonly Expression[]): Expression {
  return joined('and', items);
}

export function anyOf(items: readonly Expression[]): Expression {
  return joined('or', items);
}

function joined(kind: 'and' | 'or', items: readonly Expression[]): Expression {
  const [first] = items;
  return items.length === 1 && first !== undefined ? first : { kind, items };
}
