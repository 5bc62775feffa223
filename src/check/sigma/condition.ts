import { nearest } from '../../engine/nearest.js';
import type { Mark } from '../falco/yaml.js';
import { hasPattern } from '../selection.js';
import { excerpt, SigmaError, UnsupportedError } from './errors.js';
import { allOf, anyOf, type Expression } from './expression.js';

// Parses conditions: names of selections, `1 of` and `all of` with `them` or a pattern, not, and,
// or, parentheses.

/** Maximum nesting depth of parentheses and nots. */
const maxDepth = 100;

/** Maximum selections that all patterns of a condition expand to. */
const maxSelected = 100_000;

interface Token {
  text: string;
  at: number;
}

/** `selections`: by name, in the order of the rule. */
export function parseCondition(
  text: string,
  selections: ReadonlyMap<string, Expression>,
  mark: Mark,
): Expression {
  if (text.includes('|'))
    throw new UnsupportedError(
      "its condition has '|': Sigma replaced counts and 'near' by correlations, which sfkit does not support",
    );
  const parsed = new Parser(text, selections, mark).parse();
  if (parsed === undefined) throw new SigmaError('the condition names no existing selection', mark);
  return parsed;
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #selections: ReadonlyMap<string, Expression>;
  readonly #mark: Mark;
  readonly #text: string;
  #next = 0;
  #depth = 0;
  #selected = 0;

  constructor(text: string, selections: ReadonlyMap<string, Expression>, mark: Mark) {
    this.#text = text;
    this.#selections = selections;
    this.#mark = mark;
    this.#tokens = [...text.matchAll(/[()]|[^()\s]+/g)].map((match) => ({
      text: match[0],
      at: match.index,
    }));
  }

  /**
   * Undefined for a pattern that matches no selection, which the reference implementation drops.
   */
  parse(): Expression | undefined {
    if (this.#tokens.length === 0) this.#fail('it is empty');
    const expression = this.#either();
    const [left] = this.#tokens.slice(this.#next);
    if (left !== undefined)
      this.#fail(`expected 'and', 'or' or the end, found '${excerpt(left.text)}'`, left);
    return expression;
  }

  #either(): Expression | undefined {
    return this.#list('or', () => this.#both(), anyOf);
  }

  #both(): Expression | undefined {
    return this.#list('and', () => this.#negated(), allOf);
  }

  #list(
    word: string,
    operand: () => Expression | undefined,
    join: (items: Expression[]) => Expression,
  ): Expression | undefined {
    const items = [operand()];
    while (this.#tokens[this.#next]?.text === word) {
      this.#next++;
      items.push(operand());
    }
    const known = items.filter((item) => item !== undefined);
    return known.length === 0 ? undefined : join(known);
  }

  #negated(): Expression | undefined {
    let isNegated = false;
    let negations = 0;
    while (this.#tokens[this.#next]?.text === 'not') {
      isNegated = !isNegated;
      negations++;
      this.#next++;
    }
    const item = this.#operand();
    if (item === undefined || negations === 0) return item;
    return isNegated ? { kind: 'not', item } : item;
  }

  #operand(): Expression | undefined {
    const token = this.#tokens[this.#next];
    if (token === undefined) this.#fail('expected a selection, found the end');
    this.#next++;
    if (token.text === '(') return this.#bracket(token);
    if (token.text === ')') this.#fail("a selection is missing before ')'", token);
    if (this.#tokens[this.#next]?.text === 'of') return this.#selector(token);
    if (['and', 'or', 'of'].includes(token.text))
      this.#fail(`a selection is missing before '${token.text}'`, token);
    return this.#selection(token);
  }

  #bracket(opening: Token): Expression | undefined {
    this.#depth++;
    if (this.#depth > maxDepth)
      throw new UnsupportedError(`its condition has more than ${maxDepth} nested parentheses`);
    const inner = this.#either();
    this.#depth--;
    const closing = this.#tokens[this.#next];
    if (closing?.text !== ')') this.#fail("a '(' without its ')'", closing ?? opening);
    this.#next++;
    return inner;
  }

  #selector(quantifier: Token): Expression | undefined {
    const pattern = this.#tokens[this.#next + 1];
    if (!['1', 'any', 'all'].includes(quantifier.text))
      this.#fail(
        `'${excerpt(quantifier.text)} of': expected '1 of', 'any of' or 'all of'`,
        quantifier,
      );
    if (pattern === undefined || pattern.text === '(' || pattern.text === ')')
      this.#fail(
        "expected 'them' or a pattern for selection names after 'of'",
        pattern ?? quantifier,
      );
    this.#next += 2;
    const wanted = pattern.text === 'them' ? '*' : pattern.text;
    // Names that start with an underscore are for filters.
    const hidden = !pattern.text.startsWith('_');
    const items = [...this.#selections]
      .filter(([name]) => hasPattern(name, wanted) && !(hidden && name.startsWith('_')))
      .map(([, selection]) => selection);
    if (items.length === 0) return undefined;
    this.#selected += items.length;
    if (this.#selected > maxSelected)
      throw new UnsupportedError(`its condition names more than ${maxSelected} selections`);
    return quantifier.text === 'all' ? allOf(items) : anyOf(items);
  }

  #selection(token: Token): Expression {
    const selection = this.#selections.get(token.text);
    if (selection !== undefined) return selection;
    const lower = token.text.toLowerCase();
    if (['and', 'or', 'not', 'of'].includes(lower))
      this.#fail(`write '${token.text}' in lower case`, token);
    const likely = nearest(
      excerpt(token.text),
      [...this.#selections.keys()].filter(({ length }) => length < 200),
    );
    const advice = likely === undefined ? '' : `; did you mean '${likely}'?`;
    this.#fail(`no selection is named '${excerpt(token.text)}'${advice}`, token);
  }

  #fail(message: string, token?: Token): never {
    // The column in the file is known only for a condition on one line.
    const column =
      this.#mark.column + (token === undefined || this.#text.includes('\n') ? 0 : token.at);
    throw new SigmaError(`condition: ${message}`, { ...this.#mark, column });
  }
}
