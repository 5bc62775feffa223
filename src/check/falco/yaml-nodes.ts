// Nodes of a YAML document.

/** A place in a text; all numbers start at 0. */
export interface Mark {
  offset: number;
  line: number;
  column: number;
}

export interface ScalarNode {
  kind: 'scalar';
  text: string;
  mark: Mark;
  /** Where the value starts and ends in the file, and how it is written. */
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
  /** In order, including repeated keys. */
  pairs: readonly { key: YamlNode; value: YamlNode }[];
  /** The value of a key; undefined if missing. */
  get(key: string): YamlNode | undefined;
  mark: Mark;
}

export type YamlNode = ScalarNode | NullNode | SequenceNode | MapNode;

/** The file is not valid YAML. */
export class YamlError extends Error {
  constructor(
    message: string,
    readonly mark: Mark,
  ) {
    super(message);
  }
}

/** Plain words that mean null. */
export const nullWords = new Set(['', '~', 'null', 'Null', 'NULL']);

export function mapNode(pairs: MapNode['pairs'], mark: Mark): MapNode {
  const byKey = new Map<string, YamlNode>();
  for (const { key, value } of pairs) {
    if (key.kind === 'scalar' && !byKey.has(key.text)) byKey.set(key.text, value);
  }
  return { kind: 'map', pairs, get: (key) => byKey.get(key), mark };
}

/** Line starts of a text. */
export class Lines {
  readonly #text: string;
  readonly #starts: number[] = [0];
  /** Positions of inserted characters, with the number of insertions before each. */
  #origins: readonly { at: number; inserted: number }[] = [];

  constructor(text: string) {
    this.#text = text;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1))
      this.#starts.push(at + 1);
  }

  /** From now on, places refer to a text with inserted blanks. */
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

  /** The next place at or after this one that is neither blank nor in a comment. */
  nextContent(at: number): number {
    const blank = /(?:[ \t\r\n]+|#[^\n]*)*/y;
    blank.lastIndex = this.original(at);
    blank.exec(this.#text);
    return at + blank.lastIndex - this.original(at);
  }
}

function lastNotAfter<Place extends { at: number }>(
  places: readonly Place[],
  at: number,
): Place | undefined {
  let low = -1;
  let high = places.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((places[middle] as Place).at <= at) low = middle;
    else high = middle - 1;
  }
  return places[low];
}
