import type { Diagnostic, Rule } from '../finding.js';
import type { RuleLanguage, RuleSet, RuleText, RunOptions } from '../language.js';
import type { RecordType, RowNeed, RowRule, SharedRows } from '../sql/row-rule.js';
import { RowRun } from '../sql/row-run.js';
import { attributeNames, attributeOf } from './attributes.js';
import { type Compiled, compile, type Resolved, sharedValues } from './compile.js';
import { isBoolean, isEnabled, type PolicyRule, type Remark, readPolicy } from './policy.js';
import { withoutQuotes } from './tokens.js';

/** Policies of the SysFlow processor. */
export const sysflow: RuleLanguage = {
  name: 'sysflow',
  recognizes: (content) =>
    item.test(content) && (ownItem.test(content) || ownAttribute.test(content)),
  load: (files) => new SysflowRuleSet(files),
};

const item = /^\s*-\s+(?:rule|macro|list|filter|drop)\s*:/m;
const ownItem = /^\s*-\s+(?:filter|drop)\s*:|^\s*prefilter\s*:/m;
const ownAttribute =
  /(?:^|[\s(])sf\.(?:proc|pproc|file|net|flow|container|pod|ke|node|meta)\.[a-z]|(?:^|[\s(])sf\.(?:type|opflags|ret|ts|endts)\b/m;

/** Record types that the processor evaluates. */
const types: readonly RecordType[] = ['PE', 'FE', 'NF', 'FF', 'KE'];

const levels: Readonly<Record<string, string>> = {
  ...{
    low: 'low',
    medium: 'medium',
    high: 'high',
    debug: 'low',
    info: 'low',
    informational: 'low',
    notice: 'low',
  },
  ...{ warning: 'medium', error: 'high', critical: 'high', emergency: 'high' },
};

class SysflowRuleSet implements RuleSet {
  readonly language = 'sysflow';
  readonly diagnostics: readonly Diagnostic[];
  readonly rules: readonly Rule[];
  readonly notes: readonly string[] = [];
  readonly #compiled = new Map<Rule, RowRule>();
  readonly #attributes: ReadonlySet<string>;
  readonly #drop: SharedRows['drop'] | undefined;

  constructor(files: readonly RuleText[]) {
    const policy = readPolicy(files);
    const remarks = [...policy.remarks, ...policy.rules.flatMap(remarksOf)];
    this.diagnostics = remarks.map(diagnosticOf).sort(errorsLast);
    const dropped = { kind: 'or' as const, of: policy.filters.map(({ condition }) => condition) };
    const drop = compileForTypes(dropped, types);
    const allUses = usesOf(drop, types);
    if (policy.filters.length > 0)
      this.#drop = { condition: conditionsOf(drop), values: [...allUses.values] };
    const attributes = new Set(allUses.attributes);
    this.rules = policy.rules.map((rule) => {
      const compiled = compileForTypes(rule.condition, typesOf(rule));
      const possibleTypes = Object.keys(conditionsOf(compiled)) as RecordType[];
      const uses = usesOf(compiled, typesOf(rule));
      const ofFilters = usesOf(drop, possibleTypes);
      for (const name of uses.attributes) attributes.add(name);
      const loaded = this.#rule(rule, uses, ofFilters);
      this.#compiled.set(loaded, rowRuleOf(loaded, rule, conditionsOf(compiled), uses, ofFilters));
      return loaded;
    });
    this.#attributes = attributes;
  }

  run(input: string, options: RunOptions): RowRun {
    const compiled = (rule: Rule) => this.#compiled.get(rule) as RowRule;
    const drop = this.#drop;
    return new RowRun(input, options, compiled, {
      values: sharedValues(this.#attributes),
      ...(drop && { drop }),
    });
  }

  #rule({ item, file }: PolicyRule, { attributes, absent }: Uses, ofFilters: Uses): Rule {
    return {
      name: item.name,
      language: this.language,
      level: levels[item.priority?.toLowerCase() ?? 'low'] ?? 'low',
      tags: item.tags.map(withoutQuotes).filter((tag) => tag !== ''),
      description: item.description,
      enabled: isEnabled(item.enabled),
      location: { file: file.name, line: placeIn(file.content, item.at).line },
      needs: [
        ...[...attributes].filter((name) => needsOf([name]).includes('containers')),
        ...new Set([...absent, ...ofFilters.absent]),
      ],
    };
  }
}

/** A compiled condition for each record type. */
type ByType = ReadonlyMap<RecordType, Compiled>;
type Uses = Omit<Compiled, 'sql'>;

function compileForTypes(condition: Resolved, types: readonly RecordType[]): ByType {
  return new Map(types.map((type) => [type, compile(condition, type)]));
}

/** SQL for the record types that can satisfy the condition. */
function conditionsOf(compiled: ByType): Partial<Record<RecordType, string>> {
  const some = [...compiled].filter(([, { sql }]) => sql !== 'false');
  return Object.fromEntries(some.map(([type, { sql }]) => [type, sql]));
}

/** What a condition uses from records of these types. */
function usesOf(compiled: ByType, ofTypes: readonly RecordType[]): Uses {
  const all = ofTypes.flatMap((type) => compiled.get(type) ?? []);
  const union = (pick: (one: Compiled) => ReadonlySet<string>) =>
    new Set(all.flatMap((one) => [...pick(one)]));
  return {
    attributes: union(({ attributes }) => attributes),
    absent: union(({ absent }) => absent),
    values: union(({ values }) => values),
  };
}

/** The record types of a rule. */
function typesOf({ item: { prefilter } }: PolicyRule): RecordType[] {
  const wanted = new Set(prefilter.map(withoutQuotes));
  return types.filter((type) => prefilter.length === 0 || wanted.has(type));
}

function needsOf(attributes: Iterable<string>): RowNeed[] {
  return [...new Set([...attributes].flatMap((name) => attributeOf(name)?.needs ?? []))];
}

function rowRuleOf(
  rule: Rule,
  policyRule: PolicyRule,
  condition: Partial<Record<RecordType, string>>,
  { attributes, absent, values }: Uses,
  ofFilters: Uses,
): RowRule {
  const shown = [...attributes].flatMap((name): [string, string][] => {
    const column = attributeOf(name)?.column;
    return column === undefined ? [] : [[name, column]];
  });
  const reasons = [
    ...(absent.size === 0 ? [] : [`tables do not contain ${[...absent].join(', ')}`]),
    ...(ofFilters.absent.size === 0
      ? []
      : [`a filter uses ${[...ofFilters.absent].join(', ')}, which tables do not contain`]),
  ];
  return {
    rule,
    condition,
    ...(reasons.length > 0 && { reason: reasons.join('; ') }),
    types: typesOf(policyRule),
    values: [...values],
    needs: needsOf([...attributes, ...ofFilters.attributes]),
    fields: Object.fromEntries(shown),
  };
}

/** Warnings about a rule. */
function remarksOf({ item, file, condition }: PolicyRule): Remark[] {
  const remarks: Remark[] = [];
  const warn = (code: string, message: string) =>
    remarks.push({
      severity: 'warning',
      code,
      message: `'${item.name}': ${message}`,
      file,
      at: item.at,
    });
  if (item.actions.some((action) => action !== ''))
    warn('SYSFLOW_ACTION', `sfkit runs no actions: ${item.actions.map(withoutQuotes).join(', ')}`);
  if (item.priority !== undefined && !Object.hasOwn(levels, item.priority.toLowerCase()))
    warn('SYSFLOW_PRIORITY', `priority '${item.priority}' counts as low`);
  if (item.enabled !== undefined && !isBoolean(item.enabled))
    warn('SYSFLOW_ENABLED', `'enabled: ${item.enabled}' is not a boolean and counts as true`);
  const unknown = item.prefilter
    .map(withoutQuotes)
    .filter((type) => !types.some((known) => known === type));
  if (unknown.length > 0)
    warn('SYSFLOW_PREFILTER', `the prefilter has unknown record types: ${unknown.join(', ')}`);
  for (const { code, message } of suspiciousTexts(condition)) warn(code, message);
  return remarks;
}

/** Texts that probably do not mean what the author intended. */
function suspiciousTexts(condition: PolicyRule['condition']): { code: string; message: string }[] {
  switch (condition.kind) {
    case 'or':
    case 'and':
      return condition.of.flatMap(suspiciousTexts);
    case 'not':
      return suspiciousTexts(condition.of);
    case 'never':
      return [];
    case 'exists':
      return unknownAttribute(condition.atom);
    case 'any':
      return unknownAttribute(condition.left);
    case 'compare':
      return [...unknownAttribute(condition.left), ...cutText(condition.right)];
  }
}

function unknownAttribute(atom: string): { code: string; message: string }[] {
  const base = atom.split('[', 1)[0] as string;
  if (attributeNames.includes(base) || !/^[a-z]+\.[a-z0-9_.]+$/.test(base)) return [];
  return [
    {
      code: 'SYSFLOW_UNKNOWN_ATTRIBUTE',
      message: `'${base}' is not an attribute; it is compared as a text`,
    },
  ];
}

function cutText(atom: string): { code: string; message: string }[] {
  const [base = '', rest] = atom.split('[', 2);
  if (rest === undefined || attributeNames.includes(base)) return [];
  return [{ code: 'SYSFLOW_CUT_TEXT', message: `the text ${atom} is compared only up to its '['` }];
}

function diagnosticOf({ severity, code, message, file, at }: Remark): Diagnostic {
  return {
    severity,
    code,
    message,
    file: file.name,
    ...placeIn(file.content, at),
    snippet: snippetAt(file.content, at),
  };
}

function errorsLast(one: Diagnostic, other: Diagnostic): number {
  return Number(one.severity === 'error') - Number(other.severity === 'error');
}

function placeIn(content: string, at: number): { line: number; column: number } {
  const before = content.slice(0, at);
  return { line: before.split('\n').length, column: at - (before.lastIndexOf('\n') + 1) + 1 };
}

/** Maximum characters of a line in a snippet. */
const maxSnippet = 160;

function snippetAt(content: string, at: number): string {
  const start = content.lastIndexOf('\n', at - 1) + 1;
  const end = content.indexOf('\n', at);
  const from = Math.max(start, at - maxSnippet / 2);
  const line = content.slice(from, Math.min(end < 0 ? content.length : end, from + maxSnippet));
  return `${line.trimEnd()}\n${' '.repeat(at - from)}^`;
}
