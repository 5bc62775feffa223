import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from './write.mjs';

const pascal = (name) => name.replace(/(?:^|-)([a-z])/g, (_, letter) => letter.toUpperCase());

// Private branches after those of the schema (native/src/output/datum_sink.h).
const PRIVATE_BRANCHES = ['Ipv6', 'Gone', 'FilesForgotten', 'ContainerGone', 'PodGone'];

/**
 * From native/tables/sysflow-schema.json: the schema, its branches and its container types, for
 * both halves.
 */
export function generate(root) {
  const schema = readFileSync(join(root, 'native/tables/sysflow-schema.json'), 'utf8');
  const { containers: runtimes } = JSON.parse(
    readFileSync(join(root, 'native/tables/names.json'), 'utf8'),
  );
  const records = JSON.parse(schema).fields[0].type;
  const branches = records.map(({ name }) => name.replace(/^SF/, ''));
  const containerTypes = records
    .find(({ name }) => name === 'Container')
    .fields.find(({ name }) => name === 'type').type.symbols;
  containerTypes.forEach((symbol, number) => {
    const expected = `CT_${runtimes[number].toUpperCase().replace('CRI-O', 'CRIO').replace('-', '_')}`;
    if (symbol !== expected)
      throw new Error(`the schema has ${symbol} where names.json has ${runtimes[number]}`);
  });
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

/** Branches of the union \`rec\`. */
export const branches = {
${branches.map((name, place) => `  ${name}: ${place},`).join('\n')}
} as const;

/** Private branches, not in the schema: between the engine and TypeScript. */
export const privateBranches = {
${PRIVATE_BRANCHES.map((name, i) => `  ${name.charAt(0).toLowerCase()}${name.slice(1)}: ${branches.length + i},`).join('\n')}
} as const;

/** Symbols of ContainerType. */
export const containerTypes = ${JSON.stringify(containerTypes)} as const;

/** Container runtimes, as numbered in captures. */
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

// Branches of the union \`rec\`.
enum Branch : int64_t {
${branches.map((name, place) => `  k${name}Branch = ${place},`).join('\n')}
  // Private, not in the schema: network flows with IPv6 addresses in network order.
  kIpv6Branch,
  // Private: the OID of an ended process; records refer to it again only after a new process
  // record.
  kGoneBranch,
  // Private: all files are forgotten; records refer to a file again only after a new file record.
  kFilesForgottenBranch,
  // Private: the id of an ended container; records refer to it again only after a new container
  // record.
  kContainerGoneBranch,
  // Private: the id of a pod without containers; records refer to it again only after a new pod
  // record.
  kPodGoneBranch,
};

// Container runtimes, as numbered in captures.
enum ContainerKind : int32_t {
${runtimes.map((name, number) => `  k${pascal(name)}Container = ${number},`).join('\n')}
};

// Names in fields, by ContainerKind.
inline constexpr std::string_view kContainerKindNames[] = {${runtimes.map((name) => `"${name}"`).join(', ')}};

// Names in the schema, by ContainerKind. Kinds that the schema lacks are written as
// kCustomContainer.
inline constexpr std::string_view kContainerTypes[] = {${containerTypes.map((name) => `"${name}"`).join(', ')}};

}  // namespace sfkit
`,
  );
}
