import type { Alias, CST, Document, ParsedNode } from 'yaml';
import { yamlPackage } from '../yaml-package.js';
import { indentFlow } from './yaml-flow.js';
import {
  type Lines,
  mapNode,
  nullWords,
  type ScalarNode,
  YamlError,
  type YamlNode,
} from './yaml-nodes.js';

// Reads any YAML with the library `yaml`. The library accepts more than the rules engine does; this
// file handles the differences.

/** The documents of a text, except empty ones. */
export function parseYamlWithLibrary(text: string, lines: Lines): YamlNode[] {
  if (isTooDeep(text)) throw new YamlError(tooDeep, lines.markAt(0));
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
    // The engine ignores the indentation of lines within brackets.
    const indented = indentFlow(text);
    const again = indented === undefined ? documents : parseDocuments(indented.text);
    if (indented === undefined || firstProblem(again) !== undefined)
      throw yamlError(problem, lines);
    documents = again;
    lines.shift(indented.origins);
    problem = undefined;
  }
  return documents
    .map((document) => new Converter(document, lines).root())
    .filter((root) => root !== undefined);
}

/** Maximum nesting depth of the engine's YAML. */
const maxNested = 500;

/**
 * Whether collections are nested deeper than that. The library recurses into them, so deep nesting
 * exhausts the stack. With little stack left, V8 cannot compile a regular expression, which kills
 * the process.
 */
function isTooDeep(text: string): boolean {
  if (mayNest(text) <= maxNested) return false;
  for (const document of new (yamlPackage().Parser)().parse(text)) {
    if (document.type === 'document' && isDeeper(document.value, maxNested)) return true;
  }
  return false;
}

/**
 * Upper bound of the nesting depth: counts opening brackets, and the columns of block collections.
 */
function mayNest(text: string): number {
  let brackets = 0;
  let widest = 0;
  let width = 0;
  let isIndent = true;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x0a) {
      width = 0;
      isIndent = true;
      continue;
    }
    if (character === 0x5b || character === 0x7b) brackets++;
    const isIndicator = character === 0x2d || character === 0x3a || character === 0x3f;
    if (isIndicator || (isIndent && character === 0x20)) width++;
    isIndent &&= character === 0x20;
    widest = Math.max(widest, width);
  }
  // A list in a mapping may start at the mapping's column.
  return brackets + 2 * (widest + 1);
}

function isDeeper(root: CST.Token | undefined, limit: number): boolean {
  let level = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((token) =>
      token !== undefined && token !== null && 'items' in token
        ? (token.items as CST.CollectionItem[]).flatMap(({ key, value }) => [
            key ?? undefined,
            value,
          ])
        : [],
    );
  }
  return false;
}

type AnyDocument = Document.Parsed<ParsedNode>;

function parseDocuments(text: string): AnyDocument[] {
  const documents = yamlPackage().parseAllDocuments(text, {
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
    if (error !== undefined)
      return { message: messageOf(error.code, error.message), at: error.pos[0] };
  }
  return undefined;
}

function yamlError({ message, at }: Problem, lines: Lines): YamlError {
  return new YamlError(message, lines.markAt(at));
}

const tooDeep = 'the nesting is too deep';

/** The library's message, unless ours says more. */
function messageOf(code: string, message: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab indents a line; use spaces';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return "an unquoted value contains ': '; put the value in quotes";
    case 'BAD_SCALAR_START':
      return 'a value starts with a character that has a special meaning in YAML; put the value in quotes';
    case 'RESOURCE_EXHAUSTION':
      return tooDeep;
    default:
      return message.charAt(0).toLowerCase() + message.slice(1);
  }
}

const styles: Record<string, ScalarNode['style']> = {
  PLAIN: 'plain',
  QUOTE_SINGLE: 'single',
  QUOTE_DOUBLE: 'double',
  BLOCK_FOLDED: 'block',
  BLOCK_LITERAL: 'block',
};

class Converter {
  readonly #yaml = yamlPackage();
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
    if (this.#yaml.isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target !== undefined) return target;
      throw new YamlError(
        `no anchor is named '${node.source}' before this alias`,
        this.#lines.markAt(node.range[0]),
      );
    }
    const made = this.#convertValue(node);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, made);
    return made;
  }

  #convertValue(node: Exclude<ParsedNode, Alias.Parsed>): YamlNode {
    const [start, end] = node.range;
    if (this.#yaml.isScalar(node)) {
      const text = String(node.value ?? '');
      const style = styles[node.type ?? 'PLAIN'] ?? 'plain';
      if (style === 'plain' && node.tag === undefined && nullWords.has(text)) {
        // For a missing value, the engine reports the place of the next token.
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
    if (this.#yaml.isSeq(node)) {
      return {
        kind: 'sequence',
        items: node.items.map((item) => this.#convert(item as ParsedNode | null)),
        mark,
      };
    }
    if (!this.#yaml.isMap(node)) throw new YamlError('a value of an unknown kind', mark);
    const pairs = node.items.map(({ key, value }) => ({
      key: this.#convert(key as ParsedNode | null),
      value: this.#convert(value as ParsedNode | null),
    }));
    return mapNode(pairs, mark);
  }
}
