import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from './write.mjs';

const pascal = (name) => name.replace(/(?:^|-)([a-z])/g, (_, letter) => letter.toUpperCase());

// After the branches of the schema, for readers of sfkit's own (native/src/output/datum_sink.h).
const PRIVATE_BRANCHES = ['Ipv6', 'Gone', 'FilesForgotten', 'ContainerGone'];

/** native/tables/sysflow-schema.json, byte for byte, as a C++ constant, for TypeScript, and what follows from it. */
export function generate(root) {
  const schema = readFileSync(join(root, 'native/tables/sysflow-schema.json'), 'utf8');
  const { containers: runtimes } = JSON.parse(readFileSync(join(root, 'native/tables/names.json'), 'utf8'));
  const records = JSON.parse(schema).fields[0].type;
  const branches = records.map(({ name }) => name.replace(/^SF/, ''));
  const containerTypes = records.find(({ name }) => name === 'Container').fields.find(({ name }) => name === 'type')
    .type.symbols;
  containerTypes.forEach((symbol, number) => {
    const expected = `CT_${runtimes[number].toUpperCase().replace('CRI-O', 'CRIO').replace('-', '_')}`;
    if (symbol !== expected) throw new Error(`the schema has ${symbol} where names.json has ${runtimes[number]}`);
  });
  writeIfChanged(
    join(root, 'native/generated/schema.gen.h'),
    `// Made by scripts/generate.mjs from native/tables/sysflow-schema.json.
#pragma once

#include <string_view>

namespace sfkit {

// The avro.schema metadata of every .sf file written (schema version 5).
inline constexpr std::string_view kSysFlowSchema = R"avro(${schema})avro";

}  // namespace sfkit
`,
  );
  writeIfChanged(
    join(root, 'src/engine/schema.gen.ts'),
    `// Made by scripts/generate.mjs from native/tables/sysflow-schema.json.

/** The Avro schema of SysFlow records, version 5. */
export const sysflowSchema = ${JSON.stringify(JSON.parse(schema))} as const;

/** Places of the records in the union \`rec\`. */
export const branches = {
${branches.map((name, place) => `  ${name}: ${place},`).join('\n')}
} as const;

/** Places after those of the schema, which only sfkit's own parts use. */
export const privateBranches = {
${PRIVATE_BRANCHES.map((name, i) => `  ${name.charAt(0).toLowerCase()}${name.slice(1)}: ${branches.length + i},`).join('\n')}
} as const;

/** Symbols of ContainerType. */
export const containerTypes = ${JSON.stringify(containerTypes)} as const;

/** Kinds of container runtimes, as captures number them. */
export const runtimeTypes = {
${runtimes.map((name, number) => `  ${JSON.stringify(name)}: ${number},`).join('\n')}
} as const;
`,
  );
  writeIfChanged(
    join(root, 'native/generated/record_kinds.gen.h'),
    `// Made by scripts/generate.mjs from native/tables/sysflow-schema.json and names.json.
#pragma once

#include <cstdint>
#include <string_view>

namespace sfkit {

// Places of the records in the union \`rec\`.
enum Branch : int64_t {
${branches.map((name, place) => `  k${name}Branch = ${place},`).join('\n')}
  // Not of the schema, for readers of our own: network flows with addresses of 16 bytes in network order.
  kIpv6Branch,
  // The identity of a process that no later record refers to unless it is written anew.
  kGoneBranch,
  // Nothing more than this: no later record refers to a file unless that is written anew.
  kFilesForgottenBranch,
  // The id of a container that no later record refers to unless it is written anew.
  kContainerGoneBranch,
};

// Kinds of container runtimes, as captures number them.
enum ContainerKind : int32_t {
${runtimes.map((name, number) => `  k${pascal(name)}Container = ${number},`).join('\n')}
};

// By ContainerKind: the names that fields show.
inline constexpr std::string_view kContainerKindNames[] = {${runtimes.map((name) => `"${name}"`).join(', ')}};

// The kinds that the schema has, by ContainerKind; others are written as kCustomContainer.
inline constexpr std::string_view kContainerTypes[] = {${containerTypes.map((name) => `"${name}"`).join(', ')}};

}  // namespace sfkit
`,
  );
}
