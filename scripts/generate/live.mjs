import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from './write.mjs';

/** From native/tables/live.json: src/engine/live-limits.gen.ts and native/generated/live_limits.h. */
export function generate(root) {
  const { limits } = JSON.parse(readFileSync(join(root, 'native/tables/live.json'), 'utf8'));
  for (const [name, { min, max, default: usual }] of Object.entries(limits)) {
    if (!(min <= usual && usual <= max && max < 2 ** 31)) throw new Error(`native/tables/live.json: ${name} is wrong`);
  }
  writeIfChanged(join(root, 'src/engine/live-limits.gen.ts'), typescript(limits));
  writeIfChanged(join(root, 'native/generated/live_limits.h'), c(limits));
}

function typescript(limits) {
  return `// Generated from native/tables/live.json by scripts/generate/live.mjs.

/** Settings of live capture that are numbers: what is allowed, and the default. */
export const liveLimits = {
${Object.entries(limits)
  .map(([name, { min, max, default: usual }]) => `  ${name}: { min: ${min}, max: ${max}, default: ${usual} },`)
  .join('\n')}
} as const;
`;
}

function c(limits) {
  const rows = Object.entries(limits).flatMap(([name, { min, max, default: usual }]) => {
    const end = name.charAt(0).toUpperCase() + name.slice(1);
    return [`  kMin${end} = ${min},`, `  kMax${end} = ${max},`, `  kDefault${end} = ${usual},`];
  });
  return `// Generated from native/tables/live.json by scripts/generate/live.mjs; for the probe, which is C, and C++.
#pragma once

#ifdef __cplusplus
namespace sfkit::live {
#endif

// Settings of live capture: what is allowed, and the default.
enum {
${rows.join('\n')}
};

#ifdef __cplusplus
}  // namespace sfkit::live
#endif
`;
}
