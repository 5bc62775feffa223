import type { RuleText } from '../language.js';
import type { Resolved } from './compile.js';
import { type Expression, PolicyError, parsePolicy, type RuleItem } from './grammar.js';
import { withoutQuotes } from './tokens.js';

// Reads policies one after the other. All lists and macros of a file are visible to its rules. A
// definition before the rule takes precedence over one after it, and both over those of earlier
// files.

/** Maximum checks of a rule with macros expanded, and maximum texts of its lists. */
const maxChecks = 20_000;
const maxTexts = 200_000;

/** Maximum nesting depth with macros expanded, within DuckDB's limit. */
const maxDepth = 150;

export interface PolicyRule {
  item: RuleItem;
  condition: Resolved;
  file: RuleText;
}

export interface PolicyFilter {
  name: string;
  condition: Resolved;
}

/** A diagnostic with its location. */
export interface Remark {
  severity: 'error' | 'warning';
  code: string;
  message: string;
  file: RuleText;
  at: number;
}

export interface Policy {
  rules: PolicyRule[];
  /** Records that match one of these are not evaluated. */
  filters: PolicyFilter[];
  remarks: Remark[];
}

export function readPolicy(files: readonly RuleText[]): Policy {
  const policy: Policy = { rules: [], filters: [], remarks: [] };
  const definitions: Definitions = { lists: new Map(), macros: new Map() };
  for (const file of files) {
    try {
      readFile(file, definitions, policy);
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      policy.remarks.push({
        severity: 'error',
        code: 'SYSFLOW_SYNTAX',
        message: error.message,
        file,
        at: error.at,
      });
    }
  }
  return policy;
}

/** A condition alone: macros are unknown and never true, lists are texts. */
export function resolveCondition(condition: Expression): Resolved {
  const definitions: Definitions = { lists: new Map(), macros: new Map() };
  return new Resolver(definitions, 0, 'filter', () => {}).resolve(condition);
}

interface Definitions {
  lists: Map<string, readonly string[]>;
  macros: Map<string, Expression>;
}

function readFile(file: RuleText, definitions: Definitions, policy: Policy): void {
  const items = parsePolicy(file.content);
  const define = (item: (typeof items)[number]) => {
    if (item.kind === 'list') definitions.lists.set(item.name, item.items.map(withoutQuotes));
    else if (item.kind === 'macro') definitions.macros.set(item.name, item.condition);
  };
  items.forEach(define);
  for (const item of items) {
    define(item);
    if (item.kind !== 'rule' && item.kind !== 'filter') continue;
    const warn = (code: string, message: string) =>
      policy.remarks.push({ severity: 'warning', code, message, file, at: item.at });
    const condition = new Resolver(definitions, item.at, item.name, warn).resolve(item.condition);
    if (item.kind === 'rule') policy.rules.push({ item, condition, file });
    else if (isEnabled(item.enabled)) policy.filters.push({ name: item.name, condition });
  }
}

const booleans: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['1', 't', 'T', 'true', 'TRUE', 'True'].map((word) => [word, true])),
  ...Object.fromEntries(['0', 'f', 'F', 'false', 'FALSE', 'False'].map((word) => [word, false])),
};

/** Anything that is not a boolean counts as true. */
export function isEnabled(text: string | undefined): boolean {
  return text === undefined || (booleans[withoutQuotes(text)] ?? true);
}

export function isBoolean(text: string): boolean {
  return Object.hasOwn(booleans, withoutQuotes(text));
}

class Resolver {
  readonly #definitions: Definitions;
  readonly #at: number;
  readonly #name: string;
  readonly #warn: (code: string, message: string) => void;
  readonly #unknown = new Set<string>();
  readonly #stack: string[] = [];
  #checks = 0;
  #texts = 0;

  constructor(
    definitions: Definitions,
    at: number,
    name: string,
    warn: (code: string, message: string) => void,
  ) {
    this.#definitions = definitions;
    this.#at = at;
    this.#name = name;
    this.#warn = warn;
  }

  resolve(expression: Expression, depth = 0): Resolved {
    if (depth > maxDepth) this.#fail(`more than ${maxDepth} nested checks with macros expanded`);
    this.#checks += 1;
    if (this.#checks > maxChecks) this.#fail(`more than ${maxChecks} checks with macros expanded`);
    switch (expression.kind) {
      case 'or':
      case 'and':
        return {
          kind: expression.kind,
          of: expression.of.map((part) => this.resolve(part, depth + 1)),
        };
      case 'not':
        return { kind: 'not', of: this.resolve(expression.of, depth + 1) };
      case 'macro':
        return this.#macro(expression.name, depth);
      case 'any':
        return { ...expression, values: expression.values.flatMap((value) => this.#values(value)) };
      default:
        return expression;
    }
  }

  #macro(name: string, depth: number): Resolved {
    const condition = this.#definitions.macros.get(name);
    if (condition === undefined) {
      if (!this.#unknown.has(name)) {
        this.#unknown.add(name);
        this.#warn(
          'SYSFLOW_UNKNOWN_MACRO',
          `'${this.#name}' uses macro '${name}', which is not defined and never true`,
        );
      }
      return { kind: 'never' };
    }
    if (this.#stack.includes(name)) this.#fail(`macro '${name}' uses itself`);
    this.#stack.push(name);
    const resolved = this.resolve(condition, depth + 1);
    this.#stack.pop();
    return resolved;
  }

  /** The texts of a list, including those of lists that it names; any other text is itself. */
  #values(text: string): string[] {
    const items = this.#definitions.lists.get(text);
    this.#texts += 1;
    if (this.#texts > maxTexts) this.#fail(`more than ${maxTexts} texts with lists expanded`);
    if (items === undefined) return [withoutQuotes(text)];
    if (this.#stack.includes(text)) this.#fail(`list '${text}' contains itself`);
    this.#stack.push(text);
    const values = items.flatMap((item) => this.#values(item));
    this.#stack.pop();
    return values;
  }

  #fail(reason: string): never {
    throw new PolicyError(`'${this.#name}': ${reason}`, this.#at);
  }
}
