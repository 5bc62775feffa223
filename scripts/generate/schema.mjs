import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from './write.mjs';

/** native/tables/sysflow-schema.json, byte for byte, as a C++ constant, and for TypeScript. */
export function generate(root) {
  const schema = readFileSync(join(root, 'native/tables/sysflow-schema.json'), 'utf8');
  writeIfChanged(
    join(root, 'native/generated/schema.gen.h'),
    `// Made by scripts/generate.mjs from native/tables/sysflow-schema.json.
#pragma once

#include <string_view>

namespace sfkit {

// The avro.schema metadata of every .sf file that sfkit writes (schema version 5).
inline constexpr std::string_view kSysFlowSchema = R"avro(${schema})avro";

}  // namespace sfkit
`,
  );
  writeIfChanged(
    join(root, 'src/engine/schema.gen.ts'),
    `// Made by scripts/generate.mjs from native/tables/sysflow-schema.json.

/** The Avro schema of SysFlow records, version 5. */
export const sysflowSchema = ${JSON.stringify(JSON.parse(schema))} as const;
`,
  );
}
