import { textLiteral } from '../sql/literals.js';
import type { Check, Expression, Place, Test, TimePart } from './expression.js';
import type { Network } from './network.js';
import {
  anyText,
  type Part,
  type Pattern,
  patternRegex,
  plainOf,
  withAnyAfter,
  withAnyBefore,
} from './pattern.js';
import { quoteRegex } from './regex.js';

// Expressions as SQL of DuckDB. A missing value makes a test null, which is not true: only `not`
// has to know of it.
//
// Letters are compared in lower case, each character by itself (what Unicode calls simple mapping).

/** A form of a field: SQL for its value, or a constant. */
export type Form = Value | { constant: string };

interface Value {
  sql: string;
  type: FormType;
  /**
   * Names an expression that uses the form, so that it is computed once. Default: expressions are
   * inlined.
   */
  share?: Share | undefined;
}

export type Share = (sql: string) => string;

function shared({ share }: Value, sql: string): string {
  return share === undefined ? sql : share(sql);
}
export type FormType = 'text' | 'integer' | 'boolean' | 'time';

/** The forms of a field, or those to search for keywords; none if rows lack the field. */
export type Resolve = (field: string | undefined) => readonly Form[];

type ValueTest = Exclude<Test, { kind: 'null' | 'exists' | 'reference' }>;

/** SQL, or its constant result. */
export type Sql = string | boolean;

export function sqlOf(expression: Expression, resolve: Resolve): Sql {
  switch (expression.kind) {
    case 'and':
      return andSql(expression.items.map((item) => sqlOf(item, resolve)));
    case 'or':
      return orSql([...groupsOf(expression.items, resolve)]);
    case 'not': {
      const inner = sqlOf(expression.item, resolve);
      return typeof inner === 'boolean' ? !inner : `(${inner}) IS NOT TRUE`;
    }
    case 'check':
      return checkSql(expression, resolve);
  }
}

export function andSql(parts: readonly Sql[]): Sql {
  if (parts.includes(false)) return false;
  return joined(parts, 'AND') ?? true;
}

export function orSql(parts: readonly Sql[]): Sql {
  if (parts.includes(true)) return true;
  return joined(parts, 'OR') ?? false;
}

function joined(parts: readonly Sql[], operator: string): string | undefined {
  const texts = [...new Set(parts.filter((part) => typeof part === 'string'))];
  if (texts.length <= 1) return texts[0];
  return balanced(texts, ` ${operator} `);
}

/** Operands per pair of parentheses, so that a long list does not nest deeply. */
const groupSize = 100;

function balanced(texts: readonly string[], operator: string): string {
  if (texts.length <= groupSize) return `(${texts.join(operator)})`;
  const groups: string[] = [];
  for (let from = 0; from < texts.length; from += groupSize)
    groups.push(balanced(texts.slice(from, from + groupSize), operator));
  return balanced(groups, operator);
}

/** More texts than this for one field become one regular expression. */
const minTextsForRegex = 4;

/** Maximum characters of such an expression, far below RE2's limit. */
const maxAlternation = 8000;

/**
 * SQL for alternatives. Texts for the same field are tested together, which is far cheaper than one
 * by one.
 */
function* groupsOf(items: readonly Expression[], resolve: Resolve): Generator<Sql> {
  const groups = new Map<string, Group>();
  for (const item of items) {
    const found =
      item.kind === 'check' && item.field !== undefined ? placedText(item.test) : undefined;
    if (found === undefined) {
      yield sqlOf(item, resolve);
      continue;
    }
    const check = item as TextCheck;
    const key = `${found.place} ${check.test.cased} ${check.field}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { check, place: found.place, texts: [found.text] });
    else group.texts.push(found.text);
  }
  for (const group of groups.values()) yield groupSql(group, resolve(group.check.field));
}

type TextCheck = Check & { test: Test & { kind: 'text' } };

interface Group {
  check: TextCheck;
  place: Place;
  texts: string[];
}

/** Text and place of a test that has wildcards only at its ends. */
function placedText(test: Test): { place: Place; text: string } | undefined {
  if (test.kind !== 'text') return undefined;
  const { pattern } = test;
  const before = pattern[0] === anyText;
  const after = pattern.length > 1 && pattern.at(-1) === anyText;
  const text = plainOf(pattern.slice(before ? 1 : 0, after ? -1 : undefined));
  if (text === undefined || (text === '' && before)) return undefined;
  return { place: before && after ? 'anywhere' : before ? 'end' : after ? 'start' : 'whole', text };
}

function groupSql({ check, place, texts: all }: Group, forms: readonly Form[]): Sql {
  const { cased } = check.test;
  const texts = [...new Set(all)];
  if (forms.length === 0) return false;
  if (place === 'whole') return orSql(forms.map((form) => oneOf(form, texts, cased)));
  const single = (text: string) => placedSql(forms, place, text, cased);
  if (texts.length <= minTextsForRegex || !forms.every((form) => 'sql' in form))
    return orSql(texts.map(single));
  // Only DuckDB can lower other letters the same way, and NUL separates the forms.
  const canJoinRegex = (text: string) => (cased || isAscii(text)) && !text.includes('\0');
  const values = forms.filter((form) => 'sql' in form);
  const haystacks =
    place === 'anywhere'
      ? [haystackSql(values, cased)]
      : values.map((form) => haystackSql([form], cased));
  const regexes = alternations(texts.filter(canJoinRegex), place, cased);
  return orSql([
    ...haystacks.flatMap((haystack) =>
      regexes.map((regex) => `regexp_matches(${haystack}, ${textLiteral(regex)})`),
    ),
    ...texts.filter((text) => !canJoinRegex(text)).map(single),
  ]);
}

function alternations(texts: readonly string[], place: Place, cased: boolean): string[] {
  const groups: string[][] = [];
  let length = maxAlternation;
  for (const text of texts) {
    const quoted = quoteRegex(cased ? text : text.toLowerCase());
    length += quoted.length;
    if (length > maxAlternation) {
      groups.push([]);
      length = quoted.length;
    }
    groups.at(-1)?.push(quoted);
  }
  const [start, end] = [place === 'start' ? '\\A' : '', place === 'end' ? '\\z' : ''];
  return groups.map((group) => `${start}(?:${group.join('|')})${end}`);
}

function haystackSql(values: readonly Value[], cased: boolean): string {
  const texts = values.map((form) => (cased ? asText(form) : lowered(form)));
  const [first] = values;
  if (first === undefined || texts.length === 1) return texts[0] as string;
  return shared(first, `concat_ws(chr(0), ${texts.join(', ')})`);
}

function checkSql({ field, test }: Check, resolve: Resolve): Sql {
  const forms = resolve(field);
  switch (test.kind) {
    case 'null':
      return isMissing(forms);
    case 'exists':
      return test.wanted ? negated(isMissing(forms)) : isMissing(forms);
    case 'reference': {
      const others = resolve(test.field);
      return orSql(
        forms.flatMap((form) =>
          others.map((other) => referenceSql(form, other, test.place, test.cased)),
        ),
      );
    }
    default: {
      const ofField: ValueTest = field === undefined ? keywordTest(test) : test;
      const found = placedText(ofField);
      if (ofField.kind === 'text' && found?.place === 'anywhere')
        return placedSql(forms, found.place, found.text, ofField.cased);
      return orSql(forms.map((form) => formSql(form, ofField)));
    }
  }
}

/** SQL for a text at one place. All forms are searched as one text, separated by NUL. */
function placedSql(forms: readonly Form[], place: Place, text: string, cased: boolean): Sql {
  const values = forms.filter((form) => 'sql' in form);
  if (
    place === 'anywhere' &&
    values.length > 1 &&
    values.length === forms.length &&
    !text.includes('\0')
  )
    return `contains(${haystackSql(values, cased)}, ${literal(text, cased)})`;
  const before: Part[] = place === 'end' || place === 'anywhere' ? [anyText] : [];
  const after: Part[] = place === 'start' || place === 'anywhere' ? [anyText] : [];
  const test = { kind: 'text', pattern: [...before, text, ...after], cased } as const;
  return orSql(forms.map((form) => formSql(form, test)));
}

function isMissing([form]: readonly Form[]): Sql {
  if (form === undefined) return true;
  return 'constant' in form ? false : `${form.sql} IS NULL`;
}

function negated(sql: Sql): Sql {
  return typeof sql === 'boolean' ? !sql : `NOT (${sql})`;
}

/** A keyword matches anywhere; a number matches only as a separate word. */
function keywordTest(test: ValueTest): ValueTest {
  if (test.kind === 'text') return { ...test, pattern: withAnyAfter(withAnyBefore(test.pattern)) };
  if (test.kind === 'number' && test.operator === '=')
    return { kind: 'regex', regex: `(?:^|[\\s"'=])${quoteRegex(test.text)}(?:$|[\\s"'])` };
  return test;
}

function formSql(form: Form, test: ValueTest): Sql {
  if ('constant' in form) return constantSql(form.constant, test);
  switch (test.kind) {
    case 'text':
      return textSql(form, test.pattern, test.cased);
    case 'number':
      return numberSql(form, test);
    case 'boolean':
      return form.type === 'boolean'
        ? `${form.sql} = ${test.value}`
        : `${lowered(form)} = '${test.value}'`;
    case 'regex':
      return `regexp_matches(${asText(form)}, ${textLiteral(test.regex)})`;
    case 'network':
      return networkSql(asText(form), test.network);
  }
}

function asText({ sql, type }: Value): string {
  return type === 'text' ? sql : `CAST(${sql} AS VARCHAR)`;
}

/** Digits have no lower case. */
function lowered(form: Value): string {
  return form.type === 'text' ? shared(form, `lower(${form.sql})`) : asText(form);
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

function literal(text: string, cased: boolean): string {
  if (cased) return textLiteral(text);
  return isAscii(text) ? textLiteral(text.toLowerCase()) : `lower(${textLiteral(text)})`;
}

function oneOf(form: Form, texts: readonly string[], cased: boolean): Sql {
  if ('constant' in form) {
    return texts.some(
      (text) => constantSql(form.constant, { kind: 'text', pattern: [text], cased }) === true,
    );
  }
  const value = cased ? asText(form) : lowered(form);
  const literals = texts.map((text) => literal(text, cased));
  return literals.length === 1
    ? `${value} = ${literals[0]}`
    : `${value} IN (${literals.join(', ')})`;
}

function textSql(form: Value, pattern: Pattern, cased: boolean): Sql {
  const value = cased ? asText(form) : lowered(form);
  const parts = pattern.filter((part, index) => part !== anyText || pattern[index - 1] !== anyText);
  const before = parts[0] === anyText;
  const after = parts.length > 1 && parts.at(-1) === anyText;
  const plain = plainOf(parts.slice(before ? 1 : 0, after ? -1 : undefined));
  if (plain === undefined) return wildcardSql(value, parts, cased);
  if (plain === '' && before) return `${form.sql} IS NOT NULL`;
  const text = literal(plain, cased);
  if (before && after) return `contains(${value}, ${text})`;
  if (before) return `suffix(${value}, ${text})`;
  return after ? `prefix(${value}, ${text})` : `${value} = ${text}`;
}

/** Uses RE2, whose time is linear in the text; LIKE would backtrack for every wildcard. */
function wildcardSql(value: string, pattern: Pattern, cased: boolean): string {
  // The regex syntax itself is in lower case.
  return `regexp_full_match(${value}, ${literal(`(?s)${patternRegex(pattern, quoteRegex)}`, cased)})`;
}

function numberSql(
  form: Value,
  { operator, number, text, part }: Test & { kind: 'number' },
): string {
  if (part !== undefined) return `${timePartSql(form, part)} ${operator} ${number}`;
  if (form.type === 'integer') return `${form.sql} ${operator} ${number}`;
  if (operator !== '=') {
    const isNumber = `regexp_full_match(${asText(form)}, '[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)')`;
    return `(CASE WHEN ${isNumber} THEN TRY_CAST(${form.sql} AS DOUBLE) ${operator} ${number} END)`;
  }
  const texts = [...new Set([number, text])].map(textLiteral);
  return texts.length === 1
    ? `${asText(form)} = ${texts[0]}`
    : `${asText(form)} IN (${texts.join(', ')})`;
}

function timePartSql(form: Value, part: TimePart): string {
  const time =
    form.type === 'time'
      ? `CAST(${form.sql} AS TIMESTAMP)`
      : `TRY_CAST(${asText(form)} AS TIMESTAMP)`;
  return `date_part('${part}', ${time})`;
}

function referenceSql(form: Form, other: Form, place: Place, cased: boolean): string {
  const textOf = (one: Form) => {
    if ('constant' in one) return literal(one.constant, cased);
    return cased ? asText(one) : lowered(one);
  };
  const [value, found] = [textOf(form), textOf(other)];
  if (place === 'whole') return `${value} = ${found}`;
  return `${place === 'start' ? 'prefix' : place === 'end' ? 'suffix' : 'contains'}(${value}, ${found})`;
}

const byte = '(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])';

function networkSql(value: string, { version, first, last }: Network): string {
  if (version === 4) {
    const bytes = [1, 2, 3, 4].map(
      (place) => `TRY_CAST(split_part(${value}, '.', ${place}) AS BIGINT)`,
    );
    const number = `(((${bytes[0]} * 256 + ${bytes[1]}) * 256 + ${bytes[2]}) * 256 + ${bytes[3]})`;
    return `(CASE WHEN regexp_full_match(${value}, '${addressV4}') THEN ${number} BETWEEN ${first} AND ${last} END)`;
  }
  // Both ends as 32 digits: they compare like numbers.
  const digits = (number: bigint) => quoted(number.toString(16).padStart(32, '0'));
  return `(${hexadecimalSql(`lower(${value})`)} BETWEEN ${digits(first)} AND ${digits(last)})`;
}

function quoted(text: string): string {
  return `'${text}'`;
}

const addressV4 = `${byte}([.]${byte}){3}`;
const groupV6 = '[0-9a-f]{1,4}';
const tailV6 = `(${groupV6}:)*(${groupV6}|${addressV4})`;
const addressV6 = `(${groupV6}(:${groupV6})*)?::(${tailV6})?|(${groupV6}:)+(${groupV6}|${addressV4})`;

/** The 32 digits of an IPv6 address; null for other texts. */
function hexadecimalSql(value: string): string {
  const groups = (half: number) =>
    `list_filter(string_split(split_part(${value}, '::', ${half}), ':'), x -> x <> '')`;
  const digits = (half: number) =>
    `array_to_string(list_transform(${groups(half)}, x -> CASE WHEN contains(x, '.') THEN ${tailDigits('x')} ELSE lpad(x, 4, '0') END), '')`;
  const missing = `32 - length(${digits(1)}) - length(${digits(2)})`;
  const whole = `${digits(1)} || repeat('0', ${missing}) || ${digits(2)}`;
  const isComplete = `CASE WHEN contains(${value}, '::') THEN ${missing} > 0 ELSE length(${digits(1)}) = 32 END`;
  return `(CASE WHEN regexp_full_match(${value}, '${addressV6}') AND ${isComplete} THEN ${whole} END)`;
}

function tailDigits(value: string): string {
  const bytes = [1, 2, 3, 4].map(
    (place) => `printf('%02x', TRY_CAST(split_part(${value}, '.', ${place}) AS INTEGER))`,
  );
  return bytes.join(' || ');
}

function constantSql(constant: string, test: ValueTest): Sql {
  switch (test.kind) {
    case 'text': {
      const fold = (text: string) => (test.cased ? text : text.toLowerCase());
      const regex = patternRegex(test.pattern, (part) => quoteRegex(fold(part)));
      return new RegExp(`^(?:${regex})$`, 'su').test(fold(constant));
    }
    case 'number':
      if (test.part !== undefined) return false;
      if (test.operator === '=') return constant === test.number || constant === test.text;
      return formSql({ sql: textLiteral(constant), type: 'text' }, test);
    case 'boolean':
      return constant.toLowerCase() === String(test.value);
    default:
      return formSql({ sql: textLiteral(constant), type: 'text' }, test);
  }
}
