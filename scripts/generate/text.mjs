import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from './write.mjs';

/** From native/tables/text.json: src/engine/text.gen.ts and native/generated/text.gen.h. */
export function generate(root) {
  const { unicode, hidden } = JSON.parse(
    readFileSync(join(root, 'native/tables/text.json'), 'utf8'),
  );
  const ranges = hidden.flatMap((line) => line.split(' ')).map(range);
  ranges.forEach(([first, last], index) => {
    const before = ranges[index - 1]?.[1] ?? -2;
    if (!(first > before + 1 && last >= first && last <= 0x10ffff)) {
      throw new Error(
        `native/tables/text.json: ${first.toString(16)}-${last.toString(16)} is out of order`,
      );
    }
  });
  writeIfChanged(join(root, 'src/engine/text.gen.ts'), typescript(unicode, ranges));
  writeIfChanged(join(root, 'native/generated/text.gen.h'), cpp(unicode, ranges));
}

function range(text) {
  const [first, last = first] = text.split('-').map((digits) => Number.parseInt(digits, 16));
  return [first, last];
}

function typescript(unicode, ranges) {
  const escaped = (code) => `\\\\u{${code.toString(16)}}`;
  const parts = ranges.map(([first, last]) =>
    first === last ? escaped(first) : `${escaped(first)}-${escaped(last)}`,
  );
  return `// Generated from native/tables/text.json by scripts/generate/text.mjs.

/**
 * Code points to escape (Unicode ${unicode}), as the inside of a character class in a regular
 * expression with flag u.
 */
export const hiddenCharacters =
  '${parts.join('')}';
`;
}

function cpp(unicode, ranges) {
  const rows = ranges.map(
    ([first, last]) => `    {0x${first.toString(16)}, 0x${last.toString(16)}},`,
  );
  return `// Generated from native/tables/text.json by scripts/generate/text.mjs.
#pragma once

#include <cstdint>

namespace sfkit {

struct CodePoints {
  uint32_t first;
  uint32_t last;
};

// Code points to escape (Unicode ${unicode}), in order.
inline constexpr CodePoints kHidden[] = {
${rows.join('\n')}
};

}  // namespace sfkit
`;
}
