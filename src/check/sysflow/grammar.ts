import { isIdentifier, type Token, tokenize } from './tokens.js';

// Parser for policies. Their grammar is not YAML, although most policies look like it.

/** A parsed condition. Atoms keep their quotes. */
export type Expression =
  | { kind: 'or' | 'and'; of: readonly Expression[] }
  | { kind: 'not'; of: Expression }
  | { kind: 'macro'; name: string; at: number }
  | { kind: 'exists'; atom: string }
  | { kind: 'compare'; operator: Operator; left: string; right: string }
  | { kind: 'any'; operator: 'in' | 'pmatch'; left: string; values: readonly string[] };

export type Operator =
  | '<'
  | '<='
  | '>'
  | '>='
  | '='
  | '!='
  | 'contains'
  | 'icontains'
  | 'startswith'
  | 'endswith';

export type Item =
  | { kind: 'list'; name: string; items: readonly string[]; at: number }
  | { kind: 'macro'; name: string; condition: Expression; at: number }
  | { kind: 'filter'; name: string; condition: Expression; enabled: string | undefined; at: number }
  | RuleItem
  | { kind: 'version'; at: number };

export interface RuleItem {
  kind: 'rule';
  name: string;
  description: string;
  condition: Expression;
  priority: string | undefined;
  tags: readonly string[];
  actions: readonly string[];
  prefilter: readonly string[];
  enabled: string | undefined;
  at: number;
}

/** Syntax error. It invalidates the whole file. */
export class PolicyError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** Maximum nesting depth of parentheses and nots. */
const maxDepth = 100;

/** Words that end a name, a description or an output. */
const ends = new Set([
  ...[
    'desc',
    'condition',
    'actions',
    'output',
    'priority',
    'tags',
    'prefilter',
    'enabled',
    'warn_evttypes',
  ],
  ...['skip-if-unknown-filter', 'append'],
]);

const textOperators = new Set<string>(['contains', 'icontains', 'startswith', 'endswith']);
const symbolOperators = new Set<string>(['<', '<=', '>', '>=', '=', '!=']);

/** The items of a policy in order. Throws PolicyError at the first error. */
export function parsePolicy(text: string): Item[] {
  const parser = new Parser(text);
  const items: Item[] = [];
  do items.push(parser.item());
  while (!parser.isAtEnd());
  return items;
}

/**
 * A condition alone. `isExact`: without what only the reference implementation does; texts end at
 * the next quote, numbers may have a sign, and values have no lists in brackets.
 */
export function parseCondition(text: string, isExact: boolean): Expression {
  return new Parser(text, isExact).onlyCondition();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #isExact: boolean;
  #isCondition = false;
  #next = 0;

  constructor(text: string, isExact = false) {
    this.#text = text;
    this.#isExact = isExact;
    this.#tokens = tokenize(text, isExact);
  }

  onlyCondition(): Expression {
    this.#isCondition = true;
    const condition = this.#or(0);
    if (!this.isAtEnd()) this.#fail("'and', 'or' or the end");
    return condition;
  }

  isAtEnd(): boolean {
    return this.#peek().kind === 'end';
  }

  item(): Item {
    const at = this.#peek().start;
    this.#take('-');
    const { text: kind } = this.#peek();
    switch (kind) {
      case 'rule':
        return this.#rule(at);
      case 'filter':
      case 'drop':
        return this.#filter(at);
      case 'macro': {
        const name = this.#named();
        const condition = this.#condition();
        if (this.#takeKey('append')) this.#atom();
        return { kind, name, condition, at };
      }
      case 'list': {
        const name = this.#named();
        this.#takeDefined('items');
        return { kind, name, items: this.#items(), at };
      }
      case 'required_engine_version':
        this.#takeDefined(kind);
        this.#atom();
        return { kind: 'version', at };
      default:
        return this.#fail('rule, macro, list, filter, drop or required_engine_version');
    }
  }

  #rule(at: number): RuleItem {
    this.#takeDefined('rule');
    const name = this.#freeText();
    this.#takeDefined('desc');
    const description = this.#freeText();
    const rule: RuleItem = {
      kind: 'rule',
      name,
      description,
      condition: this.#condition(),
      priority: undefined,
      tags: [],
      actions: [],
      prefilter: [],
      enabled: undefined,
      at,
    };
    const seen = new Set<string>();
    // The first of duplicate keys counts.
    const first = (key: string) => !seen.has(key) && seen.add(key) !== undefined;
    for (;;) {
      if (this.#takeKey('output')) this.#freeText();
      else if (this.#takeKey('priority')) {
        const severity = this.#severity();
        if (first('priority')) rule.priority = severity;
      } else if (this.#takeKey('enabled')) {
        const enabled = this.#atom();
        if (first('enabled')) rule.enabled = enabled;
      } else if (this.#takeKey('warn_evttypes') || this.#takeKey('skip-if-unknown-filter'))
        this.#atom();
      else {
        const key = (['tags', 'actions', 'prefilter'] as const).find((name) => this.#takeKey(name));
        if (key === undefined) return rule;
        const items = this.#items();
        if (first(key)) rule[key] = items;
      }
    }
  }

  #filter(at: number): Item {
    const name = this.#named();
    const condition = this.#condition();
    return {
      kind: 'filter',
      name,
      condition,
      enabled: this.#takeKey('enabled') ? this.#atom() : undefined,
      at,
    };
  }

  /** KEY: name, where the name is one word. */
  #named(): string {
    this.#next += 1;
    this.#takeDefinition();
    const token = this.#peek();
    if (token.kind !== 'word' || !isIdentifier(token.text)) return this.#fail('a name');
    this.#next += 1;
    return token.text;
  }

  #condition(): Expression {
    this.#takeDefined('condition');
    return this.#or(0);
  }

  #or(depth: number): Expression {
    return this.#joined('or', () => this.#joined('and', () => this.#term(depth)));
  }

  #joined(kind: 'or' | 'and', part: () => Expression): Expression {
    const first = part();
    if (this.#peek().text !== kind) return first;
    const of = [first];
    while (this.#peek().text === kind) {
      this.#next += 1;
      of.push(part());
    }
    return { kind, of };
  }

  #term(depth: number): Expression {
    if (depth > maxDepth)
      throw new PolicyError(`more than ${maxDepth} nested parentheses`, this.#peek().start);
    const { kind, text, start } = this.#peek();
    if (kind === 'operator' && text === 'not') {
      this.#next += 1;
      return { kind: 'not', of: this.#term(depth + 1) };
    }
    if (kind === 'symbol' && text === '(') {
      this.#next += 1;
      const inside = this.#or(depth + 1);
      this.#take(')');
      return inside;
    }
    const left = this.#atom();
    const operator = this.#peek();
    if (operator.kind === 'operator') {
      if (operator.text === 'exists') {
        this.#next += 1;
        return { kind: 'exists', atom: left };
      }
      if (operator.text === 'in' || operator.text === 'pmatch') {
        this.#next += 1;
        return { kind: 'any', operator: operator.text, left, values: this.#values() };
      }
      if (textOperators.has(operator.text) || symbolOperators.has(operator.text)) {
        this.#next += 1;
        return { kind: 'compare', operator: operator.text as Operator, left, right: this.#atom() };
      }
    }
    if (kind !== 'word' || !isIdentifier(text)) return this.#fail('an operator');
    return { kind: 'macro', name: text, at: start };
  }

  /** Parses (a, b, [c]); items in brackets are ignored. */
  #values(): string[] {
    this.#take('(');
    const values: string[] = [];
    do {
      if (this.#peek().text === '[' && !this.#isExact) this.#items();
      else values.push(this.#atom());
    } while (this.#takeIf(','));
    this.#take(')');
    return values;
  }

  #items(): string[] {
    this.#take('[');
    // A comma ends an item even within quotes. There is always an item between commas, possibly an
    // empty one.
    const texts: string[] = [];
    if (this.#takeIf(',')) texts.push('', '');
    else if (this.#peek().text !== ']') {
      texts.push(this.#atom());
      while (this.#takeIf(',')) {
        if (this.#peek().text === ']') {
          texts.push('');
          break;
        }
        texts.push(this.#atom());
      }
    }
    this.#take(']');
    return texts.join(',').split(',');
  }

  #atom(): string {
    const { kind, text } = this.#peek();
    const isDirection = kind === 'operator' && (text === '<' || text === '>');
    if (kind !== 'word' && kind !== 'string' && !isDirection)
      return this.#fail('an attribute or a value');
    this.#next += 1;
    return text;
  }

  #severity(): string {
    const { kind, text } = this.#peek();
    if (kind !== 'severity') return this.#fail('a priority, such as low, medium or high');
    this.#next += 1;
    return text;
  }

  /** The source text up to a word that ends it. */
  #freeText(): string {
    const from = this.#next;
    while (!ends.has(this.#peek().text) && !this.isAtEnd()) this.#next += 1;
    if (this.#next === from) return this.#fail('a text');
    const last = this.#tokens[this.#next - 1] as Token;
    return this.#text.slice((this.#tokens[from] as Token).start, last.start + last.text.length);
  }

  #takeKey(key: string): boolean {
    if (this.#peek().kind !== 'keyword' || this.#peek().text !== key) return false;
    this.#next += 1;
    this.#takeDefinition();
    return true;
  }

  #takeDefined(key: string): void {
    if (!this.#takeKey(key)) this.#fail(`'${key}:'`);
  }

  #takeDefinition(): void {
    if (this.#peek().kind !== 'define') this.#fail("':'");
    this.#next += 1;
  }

  #take(symbol: string): void {
    if (!this.#takeIf(symbol)) this.#fail(`'${symbol}'`);
  }

  #takeIf(symbol: string): boolean {
    const { kind, text } = this.#peek();
    if (kind !== 'symbol' || text !== symbol) return false;
    this.#next += 1;
    return true;
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #fail(expected: string): never {
    const { kind, text, start } = this.#peek();
    const found =
      kind === 'end'
        ? `the end of the ${this.#isCondition ? 'condition' : 'file'}`
        : `'${text.length > 40 ? `${text.slice(0, 40)}…` : text}'`;
    const word = kind === 'keyword' || kind === 'severity' ? ', which is a keyword; quote it' : '';
    throw new PolicyError(`expected ${expected}, found ${found}${word}`, start);
  }
}
