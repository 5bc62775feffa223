import { nearest } from '../../engine/nearest.js';

/** Maximum similar names in a hint. */
const maxNames = 3;

/** The known names that resemble a name, the most similar one first. */
export function similarNames(name: string, known: readonly string[]): string[] {
  const wanted = reduced(name);
  if (wanted === '') return [];
  // Any two short names differ in few letters.
  const near = wanted.length < minNear ? undefined : nearest(name, known);
  const alike = known
    .filter((candidate) => {
      const other = reduced(candidate);
      return other === wanted || isPart(wanted, other) || isPart(other, wanted);
    })
    .sort((left, right) => left.length - right.length);
  return [...new Set([...(near === undefined ? [] : [near]), ...alike])].slice(0, maxNames);
}

/** Minimum letters of a name with a typing error. */
const minNear = 3;

/** Without what people confuse: case, separators and the plural. */
function reduced(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
    .replace(/s$/, '');
}

/** Minimum letters of a part: shorter ones are in too many names. */
const minPart = 4;

/** Whether all letters of `part` are in `whole`, in order, with the same first letter. */
function isPart(part: string, whole: string): boolean {
  if (part.length < minPart || part.length >= whole.length || part[0] !== whole[0]) return false;
  let from = 0;
  for (const letter of part) {
    const found = whole.indexOf(letter, from);
    if (found < 0) return false;
    from = found + 1;
  }
  return true;
}

/** a, b or c. */
export function either(names: readonly string[]): string {
  return names.length < 2
    ? (names[0] ?? '')
    : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** a, b and c. */
export function all(names: readonly string[]): string {
  return names.length < 2
    ? (names[0] ?? '')
    : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
