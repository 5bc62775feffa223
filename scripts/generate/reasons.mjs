import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from './write.mjs';

const SEVERITIES = ['loss', 'skipped', 'note'];

/**
 * From native/tables/reasons.json: src/engine/reasons.gen.ts and native/generated/reasons.gen.h.
 */
export function generate(root) {
  const { reasons } = JSON.parse(readFileSync(join(root, 'native/tables/reasons.json'), 'utf8'));
  const ids = new Set();
  for (const { id, severity, text } of reasons) {
    const isWhole =
      /^[a-z0-9]+(-[a-z0-9]+)*$/.test(id) && SEVERITIES.includes(severity) && text !== '';
    if (!isWhole || ids.has(id))
      throw new Error(`native/tables/reasons.json: ${id} is incomplete or duplicate`);
    ids.add(id);
  }
  writeIfChanged(join(root, 'src/engine/reasons.gen.ts'), typescript(reasons));
  writeIfChanged(join(root, 'native/generated/reasons.gen.h'), cpp(reasons));
}

const pascal = (name) => name.replace(/(?:^|-)([a-z0-9])/g, (_, letter) => letter.toUpperCase());

function typescript(reasons) {
  return `// Generated from native/tables/reasons.json by scripts/generate/reasons.mjs.

/**
 * 'loss': wanted but missing; 'skipped': left out by decision, or unsupported; 'note': nothing is
 * lost.
 */
export type Severity = ${SEVERITIES.map((name) => `'${name}'`).join(' | ')};

/** Identifies a reason, in all versions. */
export type ReasonId =
  ${reasons.map(({ id }) => `'${id}'`).join('\n  | ')};

/**
 * What sfkit counts in addition to records. Each text starts with the thing counted, in the plural.
 */
export const reasons: Readonly<Record<ReasonId, { severity: Severity; text: string }>> = {
${reasons.map(({ id, severity, text }) => `  '${id}': { severity: '${severity}', text: ${JSON.stringify(text)} },`).join('\n')}
};
`;
}

function cpp(reasons) {
  const rows = reasons.map(
    ({ id, severity, text }) =>
      `    {"${id}", Severity::k${pascal(severity)}, ${JSON.stringify(text)}},`,
  );
  return `// Generated from native/tables/reasons.json by scripts/generate/reasons.mjs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sfkit {

// kLoss: wanted but missing. kSkipped: left out by decision, or unsupported. kNote: nothing is
// lost.
enum class Severity : uint8_t { ${SEVERITIES.map((name) => `k${pascal(name)}`).join(', ')} };

inline constexpr const char* kSeverityNames[] = {${SEVERITIES.map((name) => `"${name}"`).join(', ')}};

// What sfkit counts in addition to records.
enum class Reason : uint8_t {
${reasons.map(({ id }) => `  k${pascal(id)},`).join('\n')}
};

struct ReasonInfo {
  const char* id;
  Severity severity;
  const char* text;  // starts with the thing counted, in the plural
};

// By Reason.
inline constexpr ReasonInfo kReasons[] = {
${rows.join('\n')}
};

inline constexpr const ReasonInfo& info_of(Reason reason) {
  return kReasons[static_cast<size_t>(reason)];
}

}  // namespace sfkit
`;
}
