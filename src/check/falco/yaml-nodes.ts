// What YAML is read into.

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

/** Plain words that stand for no value. */
export const nullWords = new Set(['', '~', 'null', 'Null', 'NULL']);

export function mapNode(pairs: MapNode['pairs'], mark: Mark): MapNode {
  const byKey = new Map<string, YamlNode>();
  for (const { key, value } of pairs) {
    if (key.kind === 'scalar' && !byKey.has(key.text)) byKey.set(key.text, value);
  }
  return { kind: 'map', pairs, get: (key) => byKey.get(key), mark };
}

/** Where lines of a text begin. */
export class Lines {
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
