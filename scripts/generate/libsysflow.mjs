import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from './write.mjs';

/**
 * The generated headers of libSysFlow, in native/generated/sysflow: the records of
 * native/tables/sysflow-schema.json as C++17 types with the names that Avro's generator gives them,
 * the operations of columns.json, and the macros of libsysflow.json.
 */
export function generate(root) {
  const table = (name) =>
    JSON.parse(readFileSync(join(root, 'native/tables', `${name}.json`), 'utf8'));
  const schema = table('sysflow-schema');
  const { ops } = table('columns');
  const { branchMacros, fileEvents } = table('libsysflow');
  const write = (name, text) => writeIfChanged(join(root, 'native/generated/sysflow', name), text);
  write('sysflow.hh', recordsHeader(schema));
  write('enums.hh', macrosHeader(schema, branchMacros));
  write('op_flags.h', operationsHeader(ops, fileEvents));
}

const numbers = {
  long: { type: 'int64_t', initial: '0' },
  int: { type: 'int32_t', initial: '0' },
  boolean: { type: 'bool', initial: 'false' },
};

/** The C++ type of a schema type. `named` has the types that the schema refers to by name. */
function cppType(type, named) {
  if (typeof type === 'string') {
    if (type in numbers) return numbers[type].type;
    return type === 'string' ? 'std::string' : cppType(named[type], named);
  }
  switch (type.type) {
    case 'array':
      return `std::vector<${cppType(type.items, named)}>`;
    case 'map':
      return `std::map<std::string, ${cppType(type.values, named)}>`;
    case 'fixed':
      return `std::array<uint8_t, ${type.size}>`;
    default:
      return type.name;
  }
}

const lastPart = (name) => name.split('.').at(-1);
const branchName = (type) => (typeof type === 'string' ? lastPart(type) : (type.name ?? type.type));

/** Visits a named type after the types that it refers to, which are then declared before it. */
function visitNamed(type, declare) {
  if (typeof type === 'string') return;
  if (Array.isArray(type)) {
    for (const branch of type) visitNamed(branch, declare);
    return;
  }
  for (const part of [type.items, type.values]) if (part !== undefined) visitNamed(part, declare);
  for (const field of type.fields ?? []) visitNamed(field.type, declare);
  if (type.name !== undefined) declare(type);
}

/** Avro's generator appends _ to words that C++ reserves. */
const memberName = (name) => (name === 'namespace' ? `${name}_` : name);

function declaration(type, named) {
  if (type.type === 'enum') {
    return `enum class ${type.name} : unsigned {\n${type.symbols.map((symbol) => `  ${symbol},\n`).join('')}};\n`;
  }
  if (type.type !== 'record') throw new Error(`sysflow-schema.json: unexpected ${type.type}`);
  const unions = type.fields.filter((field) => Array.isArray(field.type));
  return `struct ${type.name} {
${unions.map((field) => union(field, named)).join('\n')}${unions.length > 0 ? '\n' : ''}${type.fields.map((field) => member(field, named)).join('')}};
`;
}

function member({ name: schemaName, type, default: fallback }, named) {
  const name = memberName(schemaName);
  if (Array.isArray(type)) return `  ${name}_t ${name};\n`;
  if (typeof type === 'string' && type in numbers)
    return `  ${numbers[type].type} ${name} = ${fallback ?? numbers[type].initial};\n`;
  const initial = typeof fallback === 'string' ? ` = ${JSON.stringify(fallback)}` : '{}';
  return `  ${cppType(type, named)} ${name}${initial};\n`;
}

/** The type of a member that is a union. */
function union({ name, type: branches }, named) {
  const storage = branches.map((branch) =>
    branch === 'null' ? 'sfkit_detail::Null' : cppType(branch, named),
  );
  const accessors = branches.map((branch, index) => {
    if (branch === 'null') {
      return `    bool is_null() const { return idx() == ${index}; }
    void set_null() { set<${index}>({}); }
`;
    }
    return `    ${storage[index]} get_${branchName(branch)}() const { return get<${index}>(); }
    void set_${branchName(branch)}(const ${storage[index]}& value) { set<${index}>(value); }
`;
  });
  return `  class ${name}_t : public sfkit_detail::Union<${storage.join(', ')}> {
   public:
${accessors.join('')}  };
`;
}

function recordsHeader(schema) {
  const named = {};
  const declarations = [];
  visitNamed(schema, (type) => {
    named[`${type.namespace}.${type.name}`] = type;
    if (type.type !== 'fixed') declarations.push(declaration(type, named));
  });
  return `// Generated from native/tables/sysflow-schema.json by scripts/generate/libsysflow.mjs.
//
// The records of SysFlow as libSysFlow's users know them. Times are nanoseconds since 1970. IPv4
// addresses are int32_t with the bytes in network order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sysflow {

namespace sfkit_detail {

struct Null {};

// The storage of a union. Its branches are numbered in the order of the schema.
template <typename... Branches>
class Union {
 public:
  // The number of the branch that is set; at first 0.
  size_t idx() const { return value_.index(); }

 protected:
  template <size_t kIndex>
  const auto& get() const {
    const auto* value = std::get_if<kIndex>(&value_);
    if (value == nullptr) throw std::runtime_error("Invalid type for union");
    return *value;
  }
  template <size_t kIndex>
  void set(const std::variant_alternative_t<kIndex, std::variant<Branches...>>& value) {
    if (auto* current = std::get_if<kIndex>(&value_)) {
      *current = value;  // keeps its memory
    } else {
      value_.template emplace<kIndex>(value);
    }
  }

 private:
  std::variant<Branches...> value_;
};

}  // namespace sfkit_detail

${declarations.join('\n')}
}  // namespace sysflow
`;
}

function macrosHeader(schema, macros) {
  const records = schema.fields[0].type.map(({ name }) => name);
  const lacking = records.filter((name) => macros[name] === undefined);
  if (lacking.length > 0 || Object.keys(macros).length !== records.length)
    throw new Error(`native/tables/libsysflow.json: expected a macro for each of ${records}`);
  return `// Generated from native/tables/libsysflow.json by scripts/generate/libsysflow.mjs.
//
// Values of idx() for the union of a SysFlow record.
#pragma once

${records.map((name, index) => `#define ${macros[name]} ${index}`).join('\n')}
`;
}

function operationsHeader(ops, fileEvents) {
  const unknown = fileEvents.filter((name) => !ops.includes(name));
  if (unknown.length > 0) throw new Error(`native/tables/libsysflow.json: unknown: ${unknown}`);
  return `// Generated from native/tables/columns.json by scripts/generate/libsysflow.mjs.
//
// Operations, as bits of opFlags.
#pragma once

enum OpFlags {
${ops.map((name, bit) => `  OP_${name} = 1 << ${bit},`).join('\n')}
};

// Whether \`flag\` is exactly one operation of file events.
#define IS_FILE_EVT(flag) \\
  (${fileEvents.map((name) => `(flag) == OP_${name}`).join(' || \\\n   ')})
`;
}
