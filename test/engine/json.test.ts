import { expect, it } from 'vitest';
import { toJson } from '../../src/engine/json.js';

it('writes 64-bit numbers with all digits', () => {
  expect(toJson({ ts: 1772445603000745001n, list: [2n ** 63n - 1n, -1n] })).toBe(
    '{"ts":1772445603000745001,"list":[9223372036854775807,-1]}',
  );
});

it('writes everything else as JSON.stringify does', () => {
  const value = {
    text: 'a "b"\n',
    none: null,
    missing: undefined,
    call: () => 1,
    nan: Number.NaN,
    nested: { list: [undefined, 1.5, true, [], {}], date: new Date(0) },
    '"key"': 1,
  };
  expect(toJson(value)).toBe(JSON.stringify(value));
  for (const single of [null, 'a', 1, false, undefined])
    expect(toJson(single)).toBe(JSON.stringify(single) ?? 'null');
});

it('makes invisible characters visible, also in names', () => {
  const hidden = '\u202e\u001b[31m';
  const text = toJson({ [hidden]: hidden });
  expect(text).not.toContain('\u202e');
  expect(JSON.parse(text)).toEqual({ [hidden]: hidden });
});
