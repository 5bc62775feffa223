import { isUtf8 } from 'node:buffer';

/** Concatenated texts: text i is from offsets[i] to offsets[i + 1]. */
export interface EncodedStrings {
  offsets: Uint32Array;
  bytes: Uint8Array;
}

/** The same texts, with invalid UTF-8 replaced by U+FFFD. */
export function validUtf8({ offsets, bytes }: EncodedStrings): EncodedStrings {
  if (offsets.length === 0) return { offsets: new Uint32Array(1), bytes: new Uint8Array() };
  const count = offsets.length - 1;
  const end = offsets[count] as number;
  const startsCharacter = (offset: number) =>
    offset === end || ((bytes[offset] as number) & 0xc0) !== 0x80;
  if (isUtf8(bytes.subarray(0, end)) && offsets.every(startsCharacter))
    return { offsets, bytes: bytes.subarray(0, end) };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return encodeStrings(
    Array.from({ length: count }, (_, index) =>
      buffer.toString('utf8', offsets[index], offsets[index + 1]),
    ),
  );
}

export function encodeStrings(strings: readonly string[]): EncodedStrings {
  const offsets = new Uint32Array(strings.length + 1);
  strings.forEach((text, index) => {
    offsets[index + 1] = (offsets[index] as number) + Buffer.byteLength(text);
  });
  const bytes = Buffer.allocUnsafeSlow(offsets[strings.length] as number);
  strings.forEach((text, index) => {
    bytes.write(text, offsets[index] as number);
  });
  return { offsets, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** The texts with these numbers, in this order. */
export function selectStrings(
  { offsets, bytes }: EncodedStrings,
  numbers: readonly number[],
): EncodedStrings {
  const selected = new Uint32Array(numbers.length + 1);
  numbers.forEach((number, index) => {
    selected[index + 1] =
      (selected[index] as number) + (offsets[number + 1] as number) - (offsets[number] as number);
  });
  const copy = new Uint8Array(selected[numbers.length] as number);
  numbers.forEach((number, index) => {
    copy.set(bytes.subarray(offsets[number], offsets[number + 1]), selected[index]);
  });
  return { offsets: selected, bytes: copy };
}
