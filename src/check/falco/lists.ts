import { Composed } from './composed.js';
import type { ListDefinition } from './definitions.js';
import { LoadError, type Place } from './diagnostics.js';

// Replaces the names of lists in conditions, as text, before conditions are parsed. Falco does the
// same.

export interface FilledList {
  name: string;
  items: Composed[];
  isUsed: boolean;
  place: Place;
}

/** Quotes an item if it contains a space and has no quotes yet. */
export function quoteItem(item: Composed): Composed {
  const { text } = item;
  if (!text.includes(' ') || text.startsWith('"') || text.startsWith("'")) return item;
  return Composed.of('"').appendAll(item).append('"');
}

/** Replaces the names of lists within lists by their items, one level deep. */
export function fillLists(lists: ReadonlyMap<string, ListDefinition>): FilledList[] {
  const result = new Map<string, FilledList>();
  const used = new Set<string>();
  for (const list of lists.values()) {
    const items: Composed[] = [];
    for (const item of list.items) {
      const other = lists.get(item.text);
      if (other === undefined || other.index >= list.visibility) {
        items.push(item);
      } else {
        used.add(other.name);
        items.push(...other.items);
      }
    }
    result.set(list.name, { name: list.name, items, isUsed: false, place: list.place });
  }
  for (const name of used) (result.get(name) as FilledList).isUsed = true;
  return [...result.values()];
}

const delimiters = ' \t\n\r(),=';
const blanks = ' \t\n\r';
const words = /[^ \t\n\r(),=]+/g;

/** Longer conditions do not compile. */
const maxLength = 1 << 20;
/** Maximum characters to process for all conditions of a file together. */
const maxWork = 1 << 29;

/** Replaces the names of lists in conditions. */
export class ListFiller {
  readonly #lists: readonly FilledList[];
  readonly #byName = new Map<string, number>();
  /** Lists whose names are not single words: every condition is searched for them. */
  readonly #unusual: number[] = [];
  #work = 0;

  constructor(lists: readonly FilledList[]) {
    this.#lists = lists;
    for (const [index, { name }] of lists.entries()) {
      if (/[ \t\n\r(),=]/.test(name)) this.#unusual.push(index);
      else this.#byName.set(name, index);
    }
  }

  /** The condition with the names of lists replaced by their items, in the order of definition. */
  fill(condition: Composed, place: Place): Composed {
    let filled = condition;
    const pending = new NumberQueue();
    for (const index of this.#unusual) pending.add(index);
    this.#find(filled.text, pending, -1);
    for (let index = pending.next(); index !== undefined; index = pending.next()) {
      const list = this.#lists[index] as FilledList;
      this.#work += filled.text.length;
      const next = this.#work > maxWork ? 'too long' : replaceName(filled, list);
      if (next === 'too long') {
        throw new LoadError(
          'LOAD_ERR_VALIDATE',
          'the conditions are too long with their lists expanded',
          place,
        );
      }
      if (next === undefined) continue;
      list.isUsed = true;
      filled = next;
      for (const item of list.items) this.#find(item.text, pending, index);
    }
    return filled;
  }

  /** Adds the lists that a text names and that come after list number `after`. */
  #find(text: string, pending: NumberQueue, after: number): void {
    this.#work += text.length;
    for (const [word] of text.matchAll(words)) {
      const index = this.#byName.get(word);
      if (index !== undefined && index > after) pending.add(index);
    }
  }
}

/** Queue of distinct numbers, smallest first. */
class NumberQueue {
  /** Largest first. */
  readonly #numbers: number[] = [];

  add(number: number): void {
    let low = 0;
    let high = this.#numbers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#numbers[middle] as number) > number) low = middle + 1;
      else high = middle;
    }
    if (this.#numbers[low] !== number) this.#numbers.splice(low, 0, number);
  }

  next(): number | undefined {
    return this.#numbers.pop();
  }
}

/**
 * Replaces the list's name between delimiters by its items; undefined if the text does not contain
 * it.
 */
function replaceName(
  text: Composed,
  { name, items }: FilledList,
): Composed | undefined | 'too long' {
  const source = text.text;
  let result: Composed | undefined;
  let all: Composed | undefined;
  let length = source.length;
  let isEmpty = true;
  let from = 0;
  const add = (to: number) => {
    if (result === undefined || to <= from) return;
    // A space follows each inserted list.
    if (from > 0) result.append(' ');
    result.appendSlice(text, from, to);
    isEmpty = false;
  };
  for (let at = source.indexOf(name); at >= 0; at = source.indexOf(name, at + 1)) {
    let end = at + name.length;
    if (at < from || !isDelimiter(source, at - 1) || !isDelimiter(source, end)) continue;
    result ??= new Composed();
    all ??= joined(items);
    length += all.text.length;
    if (length > maxLength) return 'too long';
    let to = at;
    while (to > from && blanks.includes(source.charAt(to - 1))) to--;
    while (end < source.length && blanks.includes(source.charAt(end))) end++;
    // Drops the comma of an empty list.
    const hasComma = to > from && source.charAt(to - 1) === ',';
    if (items.length === 0 && hasComma) to--;
    else if (items.length === 0 && source.charAt(end) === ',') end++;
    add(to);
    if (!isEmpty) result.append(' ');
    result.appendAll(all);
    isEmpty &&= items.length === 0;
    from = end;
    at = end - 1;
  }
  add(source.length);
  return result;
}

function joined(items: readonly Composed[]): Composed {
  const result = new Composed();
  for (const [index, item] of items.entries()) {
    if (index > 0) result.append(', ');
    result.appendAll(quoteItem(item));
  }
  return result;
}

function isDelimiter(text: string, at: number): boolean {
  return at < 0 || at >= text.length || delimiters.includes(text.charAt(at));
}
