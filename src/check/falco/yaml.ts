import { Alias, type Document, isMap, isScalar, isSeq, type ParsedNode, parseAllDocuments, Scalar } from 'yaml';
import { indentFlow } from './yaml-flow.js';

// YAML as the rules engine reads it: scalars are text as written, of a key that stands twice the first counts, merge
// keys mean nothing. The library knows more; what differs is decided here.

/** A place in a text: all from 0. */
export interface Mark {
  offset: number;
  line: number;
  column: number;
}

export interface ScalarNode {
  kind: 'scalar';
  text: string;
  mark: Mark;
  /** What stands in the file: where it starts and ends, and how it is written. */
  start: number;
  end: number;
  style: 'plain' | 'single' | 'double' | 'block';
}

export interface NullNode {
  kind: 'null';
  mark: Mark;
}

export interface SequenceNode {
  kind: 'sequence';
  items: readonly YamlNode[];
  mark: Mark;
}

export interface MapNode {
  kind: 'map';
  /** In order, those with a key that stood before included. */
  pairs: readonly { key: YamlNode; value: YamlNode }[];
  /** The value of a key, undefined without one. */
  get(key: string): YamlNode | undefined;
  mark: Mark;
}

export type YamlNode = ScalarNode | NullNode | SequenceNode | MapNode;

/** The file is no YAML. */
export class YamlError extends Error {
  constructor(
    message: string,
    readonly mark: Mark,
  ) {
    super(message);
  }
}

/** The documents of a text, without those that are empty. */
export function parseYaml(content: string): YamlNode[] {
  // A mark of byte order is not a part of the text.
  const text = content.startsWith('\ufeff') ? content.slice(1) : content;
  const lines = new Lines(text);
  try {
    return convertAll(text, lines);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new YamlError(tooDeep, lines.markAt(0));
  }
}

function convertAll(text: string, lines: Lines): YamlNode[] {
  let documents = parseDocuments(text);
  let problem = firstProblem(documents);
  if (problem !== undefined) {
    // The engine does not care how far lines within brackets are indented.
    const indented = indentFlow(text);
    const again = indented === undefined ? documents : parseDocuments(indented.text);
    if (indented === undefined || firstProblem(again) !== undefined) throw yamlError(problem, lines);
    documents = again;
    lines.shift(indented.origins);
    problem = undefined;
  }
  return documents.map((document) => new Converter(document, lines).root()).filter((root) => root !== undefined);
}

type AnyDocument = Document.Parsed<ParsedNode>;

function parseDocuments(text: string): AnyDocument[] {
  const documents = parseAllDocuments(text, {
    schema: 'failsafe',
    version: '1.2',
    uniqueKeys: false,
    merge: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  return 'empty' in documents ? [] : (documents as AnyDocument[]);
}

interface Problem {
  message: string;
  at: number;
}

function firstProblem(documents: readonly AnyDocument[]): Problem | undefined {
  for (const { errors } of documents) {
    const [error] = errors;
    if (error !== undefined) return { message: wordsOf(error.code, error.message), at: error.pos[0] };
  }
  return undefined;
}

function yamlError({ message, at }: Problem, lines: Lines): YamlError {
  return new YamlError(message, lines.markAt(at));
}

const tooDeep = 'it is nested too deep';

/** The library's message where ours would say no more. */
function wordsOf(code: string, message: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab indents a line; use blanks';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return "': ' stands in a value without quotes; put the value in quotes";
    case 'BAD_SCALAR_START':
      return 'a value starts with a character that means something else in YAML; put the value in quotes';
    case 'RESOURCE_EXHAUSTION':
      return tooDeep;
    default:
      return message.charAt(0).toLowerCase() + message.slice(1);
  }
}

/** Plain words that stand for no value. */
const nullWords = new Set(['', '~', 'null', 'Null', 'NULL']);

const styles: Record<string, ScalarNode['style']> = {
  [Scalar.PLAIN]: 'plain',
  [Scalar.QUOTE_SINGLE]: 'single',
  [Scalar.QUOTE_DOUBLE]: 'double',
  [Scalar.BLOCK_FOLDED]: 'block',
  [Scalar.BLOCK_LITERAL]: 'block',
};

class Converter {
  readonly #document: AnyDocument;
  readonly #lines: Lines;
  readonly #anchors = new Map<string, YamlNode>();

  constructor(document: AnyDocument, lines: Lines) {
    this.#document = document;
    this.#lines = lines;
  }

  root(): YamlNode | undefined {
    const root = this.#document.contents;
    if (root === null) return undefined;
    const node = this.#convert(root);
    return node.kind === 'null' ? undefined : node;
  }

  #convert(node: ParsedNode | null): YamlNode {
    if (node === null) return { kind: 'null', mark: this.#lines.markAt(0) };
    if (node instanceof Alias) {
      const target = this.#anchors.get(node.source);
      if (target !== undefined) return target;
      throw new YamlError(`no anchor is named '${node.source}' before this alias`, this.#lines.markAt(node.range[0]));
    }
    const made = this.#convertValue(node);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, made);
    return made;
  }

  #convertValue(node: Exclude<ParsedNode, Alias.Parsed>): YamlNode {
    const [start, end] = node.range;
    if (isScalar(node)) {
      const text = String(node.value ?? '');
      const style = styles[node.type ?? Scalar.PLAIN] ?? 'plain';
      if (style === 'plain' && node.tag === undefined && nullWords.has(text)) {
        // Where nothing stands the engine names the place of what comes next.
        const at = text === '' ? this.#lines.nextContent(start) : start;
        return { kind: 'null', mark: this.#lines.markAt(at) };
      }
      const from = this.#lines.original(start);
      return {
        kind: 'scalar',
        text,
        mark: this.#lines.markAt(start),
        start: from,
        end: this.#lines.original(end),
        style,
      };
    }
    const mark = this.#lines.markAt(start);
    if (isSeq(node)) {
      return { kind: 'sequence', items: node.items.map((item) => this.#convert(item as ParsedNode | null)), mark };
    }
    if (!isMap(node)) throw new YamlError('a value of an unknown kind stands here', mark);
    const pairs = node.items.map(({ key, value }) => ({
      key: this.#convert(key as ParsedNode | null),
      value: this.#convert(value as ParsedNode | null),
    }));
    const byKey = new Map<string, YamlNode>();
    for (const { key, value } of pairs) {
      if (key.kind === 'scalar' && !byKey.has(key.text)) byKey.set(key.text, value);
    }
    return { kind: 'map', pairs, get: (key) => byKey.get(key), mark };
  }
}

/** Where lines of a text begin. */
class Lines {
  readonly #text: string;
  readonly #starts: number[] = [0];
  /** Where characters were inserted, and how many before each. */
  #origins: readonly { at: number; inserted: number }[] = [];

  constructor(text: string) {
    this.#text = text;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  /** From now on places are of a text into which blanks were inserted. */
  shift(origins: readonly { at: number; inserted: number }[]): void {
    this.#origins = origins;
  }

  original(at: number): number {
    const place = lastNotAfter(this.#origins, at);
    return place === undefined ? at : at - place.inserted;
  }

  markAt(at: number): Mark {
    const offset = Math.min(this.original(at), this.#text.length);
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { offset, line: low, column: offset - (this.#starts[low] as number) };
  }

  /** The next place at or after this one where something stands that is no blank or comment. */
  nextContent(at: number): number {
    const blank = /(?:[ \t\r\n]+|#[^\n]*)*/y;
    blank.lastIndex = this.original(at);
    blank.exec(this.#text);
    return at + blank.lastIndex - this.original(at);
  }
}

function lastNotAfter<Place extends { at: number }>(places: readonly Place[], at: number): Place | undefined {
  let low = -1;
  let high = places.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((places[middle] as Place).at <= at) low = middle;
    else high = middle - 1;
  }
  return places[low];
}
