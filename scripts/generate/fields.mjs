import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from './write.mjs';

const TYPES = ['i64', 'u64', 'str', 'bool'];

/** From native/tables/fields.json: src/engine/fields.gen.ts and native/generated/fields.gen.h. */
export function generate(root) {
  const { fields } = JSON.parse(readFileSync(join(root, 'native/tables/fields.json'), 'utf8'));
  const names = new Set(fields.map((field) => field.name));
  if (names.size !== fields.length) throw new Error('native/tables/fields.json: two fields have the same name');
  for (const { name, type } of fields) {
    if (!TYPES.includes(type)) throw new Error(`native/tables/fields.json: ${name} has the unknown type ${type}`);
  }
  writeIfChanged(join(root, 'src/engine/fields.gen.ts'), typescript(fields));
  writeIfChanged(join(root, 'native/generated/fields.gen.h'), cpp(fields));
}

const pascal = (name) =>
  name
    .split(/[._]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');

function typescript(fields) {
  const rows = fields.map(
    ({ name, type, doc, argument = false }) => `  ${JSON.stringify({ name, type, argument, doc })},`,
  );
  return `// Generated from native/tables/fields.json by scripts/generate/fields.mjs.

export interface FieldSpec {
  name: string;
  type: 'i64' | 'u64' | 'str' | 'bool';
  /** Whether it takes an argument, as in evt.arg.name or evt.arg[0]. */
  argument: boolean;
  doc: string;
}

/** What an event can be asked for. */
export const fields: readonly FieldSpec[] = [
${rows.join('\n')}
];
`;
}

function cpp(fields) {
  const rows = fields.map(
    ({ name, type, argument = false }) =>
      `{${JSON.stringify(name)}, Field::k${pascal(name)}, FieldType::k${pascal(type)}, ${argument}}`,
  );
  return `// Generated from native/tables/fields.json by scripts/generate/fields.mjs.
#pragma once

#include <cstdint>
#include <string_view>

namespace sfkit::events {

enum class Field : uint8_t { ${fields.map(({ name }) => `k${pascal(name)}`).join(', ')} };

enum class FieldType : uint8_t { ${TYPES.map((type) => `k${pascal(type)}`).join(', ')} };

struct FieldInfo {
  std::string_view name;
  Field field;
  FieldType type;
  bool argument;  // takes one, as in evt.arg.name or evt.arg[0]
};

inline constexpr FieldInfo kFields[] = {
    ${rows.join(',\n    ')}};

}  // namespace sfkit::events
`;
}
