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
import {
  type ErrorCode,
  type FalcoDiagnostic,
  LoadError,
  type Place,
  type WarningCode,
} from './diagnostics.js';
import { withExceptions } from './exceptions.js';
import { type FilledList, fillLists, ListFiller } from './lists.js';
import { readRules } from './reader.js';

/** Diagnostics from loading one file. */
export interface FileLoad {
  file: string;
  /** Diagnostics of single items. */
  itemDiagnostics: readonly FalcoDiagnostic[];
  /** Diagnostics of all definitions so far, compiled together. */
  definitionDiagnostics: readonly FalcoDiagnostic[];
}

export interface FalcoRule {
  definition: RuleDefinition;
  /** With macros expanded; undefined if the rule is skipped. */
  condition: string | undefined;
  unavailableFields: readonly string[];
  containerFields: readonly string[];
  canMatch: boolean;
  /** Why the rule is skipped. */
  leftOut: string | undefined;
}

export interface FalcoRules {
  /** False if a file has an error; the other members then come from the files before it. */
  isOk: boolean;
  loads: FileLoad[];
  /** In order, including skipped rules. */
  rules: FalcoRule[];
  macros: { name: string; condition: string; isUsed: boolean }[];
  lists: { name: string; items: string[]; isUsed: boolean }[];
  plugins: Collector['plugins'];
  /** Input of the native engine: macros, and all rules except skipped ones. */
  compiled: NativeRules;
  /** For each rule of `compiled`, its index in `rules`. */
  places: number[];
}

/**
 * Loads rule files in order, as Falco does: compiles all definitions so far again after each file,
 * and stops at the first file with an error.
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
    const itemDiagnostics = [...items];
    const definitionDiagnostics = compilation?.diagnostics ?? [];
    loads.push({ file: file.name, itemDiagnostics, definitionDiagnostics });
    if ([...itemDiagnostics, ...definitionDiagnostics].some(({ severity }) => severity === 'error'))
      return { ...result, isOk: false, loads };
    if (compilation !== undefined) result = compilation.result();
  }
  return { ...result, loads };
}

function nothing(collector: Collector): Omit<FalcoRules, 'loads'> {
  const { plugins } = collector;
  return {
    isOk: true,
    rules: [],
    macros: [],
    lists: [],
    plugins,
    compiled: { macros: [], rules: [] },
    places: [],
  };
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

const errorRemarks: readonly NativeDiagnostic['remark'][] = [
  'syntax',
  'macro',
  'condition',
  'output',
];

/** Compiles everything collected so far. */
class Compilation {
  readonly diagnostics: FalcoDiagnostic[] = [];
  readonly #collector: Collector;
  readonly #lists: readonly FilledList[];
  readonly #macros: { condition: Composed; place: Place; conditionPlace: Place; name: string }[] =
    [];
  readonly #rules: { condition: Composed; definition: RuleDefinition }[] = [];
  readonly #native: NativeRules = { macros: [], rules: [] };
  readonly #compiled: NativeCompilation;

  constructor(collector: Collector) {
    this.#collector = collector;
    this.#lists = fillLists(collector.lists);
    // If composing a text fails, compile the texts before it: their errors come first.
    const textError = this.#compose(new ListFiller(this.#lists));
    this.#compiled = compileRules(this.#native);
    for (const diagnostic of this.#compiled.diagnostics)
      this.diagnostics.push(this.#translate(diagnostic));
    if (!this.#compiled.isOk) return;
    if (textError !== undefined) {
      this.diagnostics.push(textError.place.diagnostic('error', textError.code, textError.message));
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
      const native = index === undefined ? undefined : compiled[index];
      rules.push({
        definition,
        condition: native?.isTaken ? native.condition : undefined,
        unavailableFields: native?.unavailableFields ?? [],
        containerFields: native?.containerFields ?? [],
        canMatch: native?.canMatch ?? false,
        leftOut: native?.isTaken ? undefined : this.#reasonFor(definition, index),
      });
      if (index === undefined || !native?.isTaken) continue;
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
      lists: this.#lists.map(({ name, items, isUsed }) => ({
        name,
        items: items.map(({ text }) => text),
        isUsed,
      })),
      plugins: this.#collector.plugins,
      compiled: { macros: this.#native.macros, rules: kept },
      places,
    };
  }

  #reasonFor({ isUnknownSource, source }: RuleDefinition, index: number | undefined): string {
    if (isUnknownSource) return `its source is ${source}, and captures contain system calls`;
    const { diagnostics } = this.#compiled;
    return (
      diagnostics.find(({ remark, index: of }) => remark === 'skipped' && of === index)?.message ??
      ''
    );
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
      this.diagnostics.push(
        place.diagnostic('warning', 'LOAD_UNUSED_MACRO', `nothing uses macro '${name}'`),
      );
    }
    for (const { name, isUsed, place } of this.#lists) {
      if (!isUsed)
        this.diagnostics.push(
          place.diagnostic('warning', 'LOAD_UNUSED_LIST', `nothing uses list '${name}'`),
        );
    }
  }

  #translate(diagnostic: NativeDiagnostic): FalcoDiagnostic {
    const severity = errorRemarks.includes(diagnostic.remark) ? 'error' : 'warning';
    return this.#placeOf(diagnostic).diagnostic(
      severity,
      codes[diagnostic.remark],
      diagnostic.message,
    );
  }

  /** Contexts and exact location of a native diagnostic. */
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
        return exactPlace(definition.outputPlace, definition.output, diagnostic.at);
      case 'skipped':
        // The location of an unknown field in an output refers to the output text.
        return diagnostic.isOfOutput
          ? exactPlace(definition.outputPlace, definition.output, diagnostic.at)
          : this.#inCondition(definition.conditionPlace, condition, diagnostic);
      case 'deprecatedField':
        return definition.conditionPlace.within(
          'condition expression',
          definition.conditionPlace.mark,
        );
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
    // The engine counts the condition's lines from 1 and adds them to the first line of its parent.
    const line = parent.mark.line + 1 + (before.match(/[\r\n]/g)?.length ?? 0);
    const column =
      parent.mark.column +
      1 +
      (index - (Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r')) + 1));
    const place = parent.within('condition expression', {
      offset: parent.mark.offset + at,
      line,
      column,
    });
    return exactPlace(place, text, at);
  }
}

/** Adds the exact location of a byte of the text, if known. */
function exactPlace(place: Place, text: Composed, at: number): Place {
  const origin = text.origin(characterAt(text.text, at));
  return origin === undefined ? place : place.at(origin.mark, origin.file);
}

/** Index of the character that contains a byte of the UTF-8 text. */
function characterAt(text: string, byte: number): number {
  return Buffer.from(text, 'utf8').subarray(0, byte).toString('utf8').length;
}
