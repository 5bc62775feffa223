import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from './write.mjs';

/**
 * From native/tables/live.json: src/engine/live-limits.gen.ts and
 * native/generated/live_limits.gen.h.
 */
export function generate(root) {
  const { limits } = JSON.parse(readFileSync(join(root, 'native/tables/live.json'), 'utf8'));
  for (const [name, { min, max, default: fallback }] of Object.entries(limits)) {
    if (!(min <= fallback && fallback <= max && max < 2 ** 31))
      throw new Error(`native/tables/live.json: ${name}: expected min <= default <= max < 2^31`);
  }
  writeIfChanged(join(root, 'src/engine/live-limits.gen.ts'), typescript(limits));
  writeIfChanged(join(root, 'native/generated/live_limits.gen.h'), c(limits));
}

function typescript(limits) {
  return `// Generated from native/tables/live.json by scripts/generate/live.mjs.

/** Numeric settings of live capture: permitted range and default. */
export const liveLimits = {
${Object.entries(limits)
  .map(
    ([name, { min, max, default: fallback }]) =>
      `  ${name}: { min: ${min}, max: ${max}, default: ${fallback} },`,
  )
  .join('\n')}
} as const;
`;
}

function c(limits) {
  const rows = Object.entries(limits).flatMap(([name, { min, max, default: fallback }]) => {
    const end = name.charAt(0).toUpperCase() + name.slice(1);
    return [`  kMin${end} = ${min},`, `  kMax${end} = ${max},`, `  kDefault${end} = ${fallback},`];
  });
  return `// Generated from native/tables/live.json by scripts/generate/live.mjs; for the probe, which is C, and C++.
#pragma once

#ifdef __cplusplus
namespace sfkit::live {
#endif

// Settings of live capture: permitted range and default.
enum {
${rows.join('\n')}
};

#ifdef __cplusplus
}  // namespace sfkit::live
#endif
`;
}
