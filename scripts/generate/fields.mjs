import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from './write.mjs';

const ARGUMENTS = ['', 'parameter', 'type', 'name', 'level', 'number', 'ends'];
const SEVERAL = ['', 'any', 'either', 'all'];

/** From native/tables/fields.json: src/engine/fields.gen.ts and native/generated/fields.gen.h. */
export function generate(root) {
  const { types, fields, refused } = JSON.parse(
    readFileSync(join(root, 'native/tables/fields.json'), 'utf8'),
  );
  const all = [...fields.map((field) => field.name), ...refused.flatMap((entry) => entry.names)];
  if (new Set(all).size !== all.length)
    throw new Error('native/tables/fields.json: two fields have the same name');
  for (const { name, type, argument = '', several = '' } of fields) {
    const known =
      Object.hasOwn(types, type) &&
      ARGUMENTS.includes(argument.replace('?', '')) &&
      SEVERAL.includes(several);
    if (!known)
      throw new Error(
        `native/tables/fields.json: ${name} has an unknown type, argument or several`,
      );
  }
  writeIfChanged(join(root, 'src/engine/fields.gen.ts'), typescript(types, fields, refused));
  writeIfChanged(join(root, 'native/generated/fields.gen.h'), cpp(types, fields, refused));
}

const pascal = (name) =>
  name
    .split(/[._]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');

function typescript(types, fields, refused) {
  const rows = fields.map(
    ({ name, type, doc, argument = '', filterOnly = false }) =>
      `  ${JSON.stringify({ name, type, argument, filterOnly, doc })},`,
  );
  const reasons = refused.flatMap(({ names, reason }) =>
    names.map((name) => `  ${JSON.stringify({ name, reason })},`),
  );
  return `// Generated from native/tables/fields.json by scripts/generate/fields.mjs.

/** Types of fields, for people. */
export const fieldTypes = ${JSON.stringify(types)} as const;

export interface FieldSpec {
  name: string;
  type: keyof typeof fieldTypes;
  /**
   * Argument in brackets or after a dot, as in evt.arg.name or evt.arg[0]; ends in ? if it is
   * optional.
   */
  argument: string;
  /** Has no text, so templates cannot show it. */
  filterOnly: boolean;
  doc: string;
}

/** The fields of an event. */
export const fields: readonly FieldSpec[] = [
${rows.join('\n')}
];

/** Names of fields in Falco's language that sfkit cannot answer, with the reason. */
export const refusedFields: readonly { name: string; reason: string }[] = [
${reasons.join('\n')}
];
`;
}

function cpp(types, fields, refused) {
  const rows = fields.map(({ name, type, argument = '', several = '', filterOnly = false }) => {
    const kind = pascal(argument.replace('?', '') || 'none');
    return `{${JSON.stringify(name)}, Field::k${pascal(name)}, FieldType::k${pascal(type)}, ArgumentKind::k${kind}, ${argument !== '' && !argument.endsWith('?')}, Several::k${pascal(several || 'no')}, ${filterOnly}}`;
  });
  const reasons = refused.flatMap(({ names, reason }) =>
    names.map((name) => `{${JSON.stringify(name)}, ${JSON.stringify(reason)}}`),
  );
  return `// Generated from native/tables/fields.json by scripts/generate/fields.mjs.
#pragma once

#include <cstdint>
#include <string_view>

namespace sfkit::fields {

enum class Field : uint16_t { ${fields.map(({ name }) => `k${pascal(name)}`).join(', ')} };

enum class FieldType : uint8_t { ${Object.keys(types)
    .map((type) => `k${pascal(type)}`)
    .join(', ')} };

// The argument in brackets or after a dot.
enum class ArgumentKind : uint8_t { kNone, ${ARGUMENTS.slice(1)
    .map((kind) => `k${pascal(kind)}`)
    .join(', ')} };

// Fields with several values: how many must match. For kEither, both must differ for !=.
enum class Several : uint8_t { kNo, ${SEVERAL.slice(1)
    .map((kind) => `k${pascal(kind)}`)
    .join(', ')} };

struct FieldInfo {
  std::string_view name;
  Field field;
  FieldType type;
  ArgumentKind argument;
  bool needs_argument;
  Several several;  // without the argument, if it takes one
  bool filter_only;
};

inline constexpr FieldInfo kFields[] = {
    ${rows.join(',\n    ')}};

struct RefusedField {
  std::string_view name;
  std::string_view reason;
};

inline constexpr RefusedField kRefusedFields[] = {
    ${reasons.join(',\n    ')}};

}  // namespace sfkit::fields
`;
}
