import type { Diagnostic } from '../finding.js';
import type { RuleText } from '../language.js';
import type { Mark } from './yaml.js';

// Diagnostics with the codes and contexts of the Falco engine: each belongs to an item, which
// belongs to a file.

export const errorCodes = [
  'LOAD_ERR_FILE_READ',
  'LOAD_ERR_YAML_PARSE',
  'LOAD_ERR_YAML_VALIDATE',
  'LOAD_ERR_VALIDATE',
  'LOAD_ERR_COMPILE_CONDITION',
  'LOAD_ERR_COMPILE_OUTPUT',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export const warningCodes = [
  'LOAD_UNKNOWN_SOURCE',
  'LOAD_UNSAFE_NA_CHECK',
  'LOAD_NO_EVTTYPE',
  'LOAD_UNKNOWN_FILTER',
  'LOAD_UNUSED_MACRO',
  'LOAD_UNUSED_LIST',
  'LOAD_UNKNOWN_ITEM',
  'LOAD_DEPRECATED_ITEM',
  'LOAD_APPEND_NO_VALUES',
  'LOAD_EXCEPTION_NAME_NOT_UNIQUE',
  'LOAD_INVALID_MACRO_NAME',
  'LOAD_INVALID_LIST_NAME',
  'LOAD_COMPILE_CONDITION',
  'LOAD_UNKNOWN_KEY',
] as const;
export type WarningCode = (typeof warningCodes)[number];

/** A part of a file; `kind` is the engine's name for it. */
export interface Context {
  kind: string;
  name: string;
  mark: Mark;
}

export interface FalcoDiagnostic extends Diagnostic {
  code: ErrorCode | WarningCode;
  /** From the file inwards. Lines and columns start at 0, as in the engine. */
  contexts: readonly Context[];
}

/** A location in a file with its contexts. */
export class Place {
  readonly file: RuleText;
  readonly contexts: readonly Context[];
  /** Exact location within the innermost context, if known. */
  readonly #mark: Mark | undefined;

  private constructor(file: RuleText, contexts: readonly Context[], mark?: Mark) {
    this.file = file;
    this.contexts = contexts;
    this.#mark = mark;
  }

  static of(file: RuleText): Place {
    return new Place(file, [
      { kind: 'rules content', name: '', mark: { offset: 0, line: 0, column: 0 } },
    ]);
  }

  within(kind: string, mark: Mark, name = ''): Place {
    return new Place(this.file, [...this.contexts, { kind, name, mark }]);
  }

  /** The same contexts with an exact location, possibly in another file. */
  at(mark: Mark, file = this.file): Place {
    return new Place(file, this.contexts, mark);
  }

  get mark(): Mark {
    return this.#mark ?? (this.contexts.at(-1) as Context).mark;
  }

  diagnostic(
    severity: Diagnostic['severity'],
    code: ErrorCode | WarningCode,
    message: string,
  ): FalcoDiagnostic {
    const { line, column, offset } = this.mark;
    return {
      severity,
      code,
      message,
      file: this.file.name,
      line: line + 1,
      column: column + 1,
      snippet: snippetAt(this.file.content, offset),
      contexts: this.contexts,
    };
  }
}

/** Ends the loading of a file. */
export class LoadError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly place: Place,
  ) {
    super(message);
  }
}

const snippetBefore = 60;
const snippetLength = 120;

/** The line at a position, shortened if it is long, and a caret below it. */
function snippetAt(content: string, offset: number): string {
  const text = content.startsWith('\ufeff') ? content.slice(1) : content;
  const at = Math.min(offset, text.length);
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const newline = text.indexOf('\n', at);
  const from = Math.max(lineStart, at - snippetBefore);
  const to = Math.min(newline < 0 ? text.length : newline, from + snippetLength);
  // The caret is below the character only if every character takes one column.
  const shown = text.slice(from, to).replace(/\t/g, ' ').trimEnd();
  return `${shown}\n${' '.repeat(Math.max(at - from, 0))}^`;
}
