import type {
  Compilation as NativeCompilation,
  RuleDiagnostic as NativeDiagnostic,
  Rules as NativeRules,
} from '../../engine/session.js';
import { compileRules } from '../../engine/session.js';
import type { RuleText } from '../language.js';
import { Collector } from './collector.js';
import type { Composed } from './composed.js';
import type { RuleDefinition } from './definitions.js';
import { type ErrorCode, type FalcoDiagnostic, LoadError, type Place, type WarningCode } from './diagnostics.js';
import { withExceptions } from './exceptions.js';
import { type FilledList, fillLists, ListFiller } from './lists.js';
import { readRules } from './reader.js';

/** What is said when one file is loaded. */
export interface FileLoad {
  file: string;
  /** Of its items. */
  ofItems: readonly FalcoDiagnostic[];
  /** Of all definitions so far. */
  ofDefinitions: readonly FalcoDiagnostic[];
}

export interface FalcoRule {
  definition: RuleDefinition;
  /** With its macros filled in; undefined where the rule is left out. */
  condition: string | undefined;
  unanswered: readonly string[];
  described: readonly string[];
  canMatch: boolean;
  /** Why it is left out. */
  leftOut: string | undefined;
}

export interface FalcoRules {
  /** False where a file has an error; the rest is what the files before it made. */
  isOk: boolean;
  loads: FileLoad[];
  /** In their order, those that are left out included. */
  rules: FalcoRule[];
  macros: { name: string; condition: string; isUsed: boolean }[];
  lists: { name: string; items: string[]; isUsed: boolean }[];
  plugins: Collector['plugins'];
  /** What the engine is given: macros, and rules beside `rules` but for those that are left out. */
  compiled: NativeRules;
  /** For each rule of `compiled` its place in `rules`. */
  places: number[];
}

/**
 * Loads rules files in their order, as the engine does: all definitions so far are compiled anew after each file. The
 * first file with an error is the last.
 */
export function loadFalcoRules(files: readonly RuleText[]): FalcoRules {
  const loads: FileLoad[] = [];
  const items: FalcoDiagnostic[] = [];
  const collector = new Collector(items);
  let result: Omit<FalcoRules, 'loads'> = nothing(collector);
  for (const file of files) {
    items.length = 0;
    const isRead = readRules(file, collector, items);
    const compilation = isRead ? new Compilation(collector) : undefined;
    const ofItems = [...items];
    const ofDefinitions = compilation?.diagnostics ?? [];
    loads.push({ file: file.name, ofItems, ofDefinitions });
    if ([...ofItems, ...ofDefinitions].some(({ severity }) => severity === 'error'))
      return { ...result, isOk: false, loads };
    if (compilation !== undefined) result = compilation.result();
  }
  return { ...result, loads };
}

function nothing(collector: Collector): Omit<FalcoRules, 'loads'> {
  const { plugins } = collector;
  return { isOk: true, rules: [], macros: [], lists: [], plugins, compiled: { macros: [], rules: [] }, places: [] };
}

const codes: Record<NativeDiagnostic['remark'], ErrorCode | WarningCode> = {
  syntax: 'LOAD_ERR_COMPILE_CONDITION',
  macro: 'LOAD_ERR_VALIDATE',
  condition: 'LOAD_ERR_COMPILE_CONDITION',
  output: 'LOAD_ERR_COMPILE_OUTPUT',
  skipped: 'LOAD_UNKNOWN_FILTER',
  value: 'LOAD_COMPILE_CONDITION',
  deprecatedField: 'LOAD_DEPRECATED_ITEM',
  deprecatedOutput: 'LOAD_DEPRECATED_ITEM',
  containerInfo: 'LOAD_DEPRECATED_ITEM',
  unsafeComparison: 'LOAD_UNSAFE_NA_CHECK',
  eventTypes: 'LOAD_NO_EVTTYPE',
};

const errorRemarks: readonly NativeDiagnostic['remark'][] = ['syntax', 'macro', 'condition', 'output'];

/** All that was collected, compiled. */
class Compilation {
  readonly diagnostics: FalcoDiagnostic[] = [];
  readonly #collector: Collector;
  readonly #lists: readonly FilledList[];
  readonly #macros: { condition: Composed; place: Place; conditionPlace: Place; name: string }[] = [];
  readonly #rules: { condition: Composed; definition: RuleDefinition }[] = [];
  readonly #native: NativeRules = { macros: [], rules: [] };
  readonly #compiled: NativeCompilation;

  constructor(collector: Collector) {
    this.#collector = collector;
    this.#lists = fillLists(collector.lists);
    // Where the texts do not come together, what comes before is compiled: its errors are first.
    const broken = this.#compose(new ListFiller(this.#lists));
    this.#compiled = compileRules(this.#native);
    for (const diagnostic of this.#compiled.diagnostics) this.diagnostics.push(this.#translate(diagnostic));
    if (!this.#compiled.isOk) return;
    if (broken !== undefined) {
      this.diagnostics.push(broken.place.diagnostic('error', broken.code, broken.message));
      return;
    }
    this.#warnOfUnused();
  }

  result(): Omit<FalcoRules, 'loads'> {
    const compiled = this.#compiled.rules;
    const rules: FalcoRule[] = [];
    const kept: NativeRules['rules'] = [];
    const places: number[] = [];
    const byDefinition = new Map(this.#rules.map(({ definition }, index) => [definition, index]));
    for (const definition of this.#collector.rules.values()) {
      const index = byDefinition.get(definition);
      const made = index === undefined ? undefined : compiled[index];
      rules.push({
        definition,
        condition: made?.isTaken ? made.condition : undefined,
        unanswered: made?.unanswered ?? [],
        described: made?.described ?? [],
        canMatch: made?.canMatch ?? false,
        leftOut: made?.isTaken ? undefined : this.#reasonFor(definition, index),
      });
      if (index === undefined || !made?.isTaken) continue;
      kept.push(this.#native.rules[index] as NativeRules['rules'][number]);
      places.push(rules.length - 1);
    }
    return {
      isOk: true,
      rules,
      macros: this.#macros.map(({ name }, index) => {
        const { condition = '', used = false } = this.#compiled.macros[index] ?? {};
        return { name, condition, isUsed: used };
      }),
      lists: this.#lists.map(({ name, items, isUsed }) => ({ name, items: items.map(({ text }) => text), isUsed })),
      plugins: this.#collector.plugins,
      compiled: { macros: this.#native.macros, rules: kept },
      places,
    };
  }

  #reasonFor({ isUnknownSource, source }: RuleDefinition, index: number | undefined): string {
    if (isUnknownSource) return `its source is ${source}, and captures hold system calls`;
    const { diagnostics } = this.#compiled;
    return diagnostics.find(({ remark, index: of }) => remark === 'skipped' && of === index)?.message ?? '';
  }

  #compose(filler: ListFiller): LoadError | undefined {
    try {
      for (const macro of this.#collector.macros.values()) {
        const condition = filler.fill(macro.condition, macro.conditionPlace);
        this.#macros.push({ ...macro, condition });
        const { name, index: place, visibility: sees } = macro;
        this.#native.macros.push({ name, condition: condition.text, place, sees });
      }
      for (const definition of this.#collector.rules.values()) {
        if (definition.isUnknownSource) continue;
        const condition = filler.fill(withExceptions(definition), definition.conditionPlace);
        this.#rules.push({ condition, definition });
        this.#native.rules.push({
          condition: condition.text,
          output: definition.output.text,
          skipUnknown: definition.skipIfUnknownFilter,
          warnEventTypes: definition.warnEventTypes,
        });
      }
      return undefined;
    } catch (error) {
      if (error instanceof LoadError) return error;
      throw error;
    }
  }

  #warnOfUnused(): void {
    for (const [index, { name, place }] of this.#macros.entries()) {
      if (this.#compiled.macros[index]?.used) continue;
      this.diagnostics.push(place.diagnostic('warning', 'LOAD_UNUSED_MACRO', `nothing uses macro '${name}'`));
    }
    for (const { name, isUsed, place } of this.#lists) {
      if (!isUsed)
        this.diagnostics.push(place.diagnostic('warning', 'LOAD_UNUSED_LIST', `nothing uses list '${name}'`));
    }
  }

  #translate(diagnostic: NativeDiagnostic): FalcoDiagnostic {
    const severity = errorRemarks.includes(diagnostic.remark) ? 'error' : 'warning';
    return this.#placeOf(diagnostic).diagnostic(severity, codes[diagnostic.remark], diagnostic.message);
  }

  /** Where it stands: in the engine's contexts, and exactly. */
  #placeOf(diagnostic: NativeDiagnostic): Place {
    const { remark, of, index } = diagnostic;
    if (of === 'macro') {
      const macro = this.#macros[index];
      if (macro === undefined) throw new Error('the engine speaks of a macro that is not there');
      const { place, conditionPlace, condition } = macro;
      return this.#inCondition(remark === 'macro' ? place : conditionPlace, condition, diagnostic);
    }
    const rule = this.#rules[index];
    if (rule === undefined) throw new Error('the engine speaks of a rule that is not there');
    const { definition, condition } = rule;
    switch (remark) {
      case 'eventTypes':
      case 'unsafeComparison':
      case 'containerInfo':
        return definition.place;
      case 'output':
      case 'deprecatedOutput':
        return exactly(definition.outputPlace, definition.output, diagnostic.at);
      case 'skipped':
        // An output that names an unknown field has no place in a condition.
        return diagnostic.isOfOutput
          ? exactly(definition.outputPlace, definition.output, diagnostic.at)
          : this.#inCondition(definition.conditionPlace, condition, diagnostic);
      case 'deprecatedField':
        return definition.conditionPlace.within('condition expression', definition.conditionPlace.mark);
      case 'macro':
        return this.#inCondition(definition.place, condition, diagnostic);
      default:
        return this.#inCondition(definition.conditionPlace, condition, diagnostic);
    }
  }

  #inCondition(parent: Place, own: Composed, { macro, at }: NativeDiagnostic): Place {
    const text = macro === null ? own : (this.#macros[macro]?.condition ?? own);
    const index = characterAt(text.text, at);
    const before = text.text.slice(0, index);
    // The engine counts lines of the condition from 1 and adds them to the line where its parent begins.
    const line = parent.mark.line + 1 + (before.match(/[\r\n]/g)?.length ?? 0);
    const column =
      parent.mark.column + 1 + (index - (Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r')) + 1));
    const place = parent.within('condition expression', { offset: parent.mark.offset + at, line, column });
    return exactly(place, text, at);
  }
}

/** The place with what is known of where a byte of the text comes from. */
function exactly(place: Place, text: Composed, at: number): Place {
  const origin = text.origin(characterAt(text.text, at));
  return origin === undefined ? place : place.at(origin.mark, origin.file);
}

/** Which character begins at or before a byte of the text in UTF-8. */
function characterAt(text: string, byte: number): number {
  return Buffer.from(text, 'utf8').subarray(0, byte).toString('utf8').length;
}
