// Turns native/tables/events.json, the one place where events are declared, and names.json, the
// names of the numbers in them, into the C++ tables that the engine reads:
// native/generated/events.gen.h (shapes), event_roles.gen.h and event_ops.gen.h (what an event
// does, see event-roles.mjs) and event_names.gen.h (texts). The probe reads event_codes.h (see
// probe-events.mjs).

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { opsSource, rolesSource } from './event-roles.mjs';
import { probeEventsSource } from './probe-events.mjs';
import { writeIfChanged } from './write.mjs';

// Fixed sizes by parameter type; 0 stands for a variable length (spec: scap-format, section 10).
const TYPES = {
  NONE: 0,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  CHARBUF: 0,
  BYTEBUF: 0,
  ERRNO: 8,
  SOCKADDR: 0,
  SOCKTUPLE: 0,
  FD: 8,
  PID: 8,
  FDLIST: 0,
  FSPATH: 0,
  SYSCALLID: 2,
  SIGTYPE: 1,
  RELTIME: 8,
  ABSTIME: 8,
  PORT: 2,
  L4PROTO: 1,
  SOCKFAMILY: 1,
  BOOL: 4,
  IPV4ADDR: 4,
  DYN: 0,
  FLAGS8: 1,
  FLAGS16: 2,
  FLAGS32: 4,
  UID: 4,
  GID: 4,
  DOUBLE: 8,
  SIGSET: 4,
  CHARBUFARRAY: 0,
  CHARBUF_PAIR_ARRAY: 0,
  IPV4NET: 0,
  IPV6ADDR: 16,
  IPV6NET: 0,
  IPADDR: 0,
  IPNET: 0,
  MODE: 4,
  FSRELPATH: 0,
  ENUMFLAGS8: 1,
  ENUMFLAGS16: 2,
  ENUMFLAGS32: 4,
  PID32: 4,
  FD32: 4,
};

const FLAGS = [
  'creates_fd',
  'destroys_fd',
  'uses_fd',
  'reads_from_fd',
  'writes_to_fd',
  'modifies_state',
  'unused',
  'waits',
  'skip_parser_reset',
  'old_version',
  'drop_simple_cons',
  'large_payload',
  'converter_managed',
];

const FORMATS = ['dec', 'hex', 'oct', 'na'];

const CATEGORIES = [
  'unknown',
  'other',
  'file',
  'net',
  'ipc',
  'memory',
  'process',
  'sleep',
  'system',
  'signal',
  'user',
  'time',
  'processing',
  'io_read',
  'io_write',
  'io_other',
  'wait',
  'scheduler',
  'internal',
];

const KINDS = ['none', 'syscall', 'tracepoint', 'plugin', 'metaevent', 'iter'];

const camel = (name) =>
  `k${name
    .split('_')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')}`;

export function generate(root) {
  const table = (name) =>
    JSON.parse(readFileSync(join(root, `native/tables/${name}.json`), 'utf8'));
  const { events } = table('events');
  const texts = table('names');
  const flagTables = Object.keys(texts.flags);
  const dynamicTables = Object.keys(texts.dynamic);
  const names = new Set();
  const params = [];
  const counts = [];
  const rows = [];

  events.forEach((event, index) => {
    if (event.code !== index)
      throw new Error(`events.json: code ${event.code} stands at place ${index}`);
    const unknown = event.flags.find((flag) => !FLAGS.includes(flag));
    if (unknown) throw new Error(`events.json: ${event.event} has the unknown flag ${unknown}`);
    if (!KINDS.includes(event.kind))
      throw new Error(`events.json: ${event.event} has the unknown kind ${event.kind}`);
    const shape = { params: params.length, counts: counts.length };
    for (const param of event.params) {
      const fields = param.split(':');
      const directory = fields.at(-1).startsWith('@') ? Number(fields.pop().slice(1)) : -1;
      const [name, type, format = 'dec', tableName] = fields;
      const wrong = (what) =>
        new Error(`events.json: ${event.event}.${name} has the unknown ${what}`);
      if (!(type in TYPES)) throw wrong(`type ${type}`);
      if (!FORMATS.includes(format)) throw wrong(`format ${format}`);
      const place =
        tableName === undefined
          ? 0
          : (type === 'DYN' ? dynamicTables : flagTables).indexOf(tableName) + 1;
      if (tableName !== undefined && place === 0) throw wrong(`table ${tableName}`);
      names.add(name);
      params.push(
        `{P::${name}, ParamType::${camel(type.toLowerCase())}, ${TYPES[type]}, ` +
          `ParamFormat::${camel(format)}, ${place}, ${directory}}`,
      );
    }
    if (!CATEGORIES.includes(event.category)) {
      throw new Error(`events.json: ${event.event} has the unknown category ${event.category}`);
    }
    counts.push(...(event.counts ?? []));
    const flags = event.flags.reduce((bits, flag) => bits | (1 << FLAGS.indexOf(flag)), 0);
    rows.push(
      `{"${event.event}", "${event.name}", 0x${flags.toString(16)}, EventKind::${camel(event.kind)}, ` +
        `EventCategory::${camel(event.category)}, ` +
        `${event.params.length}, ${shape.params}, ${event.counts?.length ?? 0}, ${shape.counts}, ` +
        `${event.becomes ?? event.code}}`,
    );
  });

  const lines = [
    '// Generated from native/tables/events.json by scripts/generate/events.mjs.',
    '#pragma once',
    '',
    '#include <cstdint>',
    '',
    'namespace sfkit::scap {',
    '',
    '// Event codes as files hold them, spelled as in the table.',
    'namespace ev {',
    ...events.map((event) => `inline constexpr uint16_t ${event.event} = ${event.code};`),
    '}  // namespace ev',
    '',
    `inline constexpr uint16_t kEventCount = ${events.length};`,
    '',
    '// Parameter names, spelled as in the table.',
    `enum class P : uint16_t { ${[...names].sort().join(', ')} };`,
    '',
    `enum class ParamType : uint8_t { ${Object.keys(TYPES)
      .map((type) => camel(type.toLowerCase()))
      .join(', ')} };`,
    '',
    `enum class EventKind : uint8_t { ${KINDS.map(camel).join(', ')} };`,
    '',
    `enum class EventCategory : uint8_t { ${CATEGORIES.map(camel).join(', ')} };`,
    '',
    `enum class ParamFormat : uint8_t { ${FORMATS.map(camel).join(', ')} };`,
    '',
    'enum EventFlag : uint16_t {',
    ...FLAGS.map((flag, bit) => `  ${camel(flag)} = 1u << ${bit},`),
    '};',
    '',
    `inline constexpr uint16_t kParamNameCount = ${names.size};`,
    '',
    'struct ParamInfo {',
    '  P name;',
    '  ParamType type;',
    '  uint8_t size;  // 0: variable',
    '  ParamFormat format;',
    '  uint8_t table;     // names.json: 0 none, else one more than the index into kFlagTables (kDynamicTables)',
    '  int8_t directory;  // parameter that holds the directory of this path, or -1',
    '};',
    '',
    'struct EventInfo {',
    '  const char* code_name;',
    '  const char* name;',
    '  uint16_t flags;  // EventFlag bits',
    '  EventKind kind;',
    '  EventCategory category;',
    '  uint8_t nparams;',
    '  uint16_t first_param;  // index into kParams',
    '  uint8_t older_counts;  // how many shorter parameter counts older writers used',
    '  uint16_t first_count;  // index into kOlderCounts',
    '  uint16_t becomes;      // the code that replaced this one, or the code itself',
    '};',
    '',
    `inline constexpr ParamInfo kParams[] = {\n    ${params.join(',\n    ')}};`,
    '',
    `inline constexpr uint8_t kOlderCounts[] = {${counts.join(', ')}};`,
    '',
    `inline constexpr EventInfo kEvents[kEventCount] = {\n    ${rows.join(',\n    ')}};`,
    '',
    '}  // namespace sfkit::scap',
    '',
  ];
  mkdirSync(join(root, 'native/generated'), { recursive: true });
  writeIfChanged(join(root, 'native/generated/events.gen.h'), lines.join('\n'));
  const { ops } = table('columns');
  writeIfChanged(join(root, 'native/generated/event_roles.gen.h'), rolesSource(events));
  writeIfChanged(join(root, 'native/generated/event_ops.gen.h'), opsSource(events, ops));
  writeIfChanged(
    join(root, 'native/generated/event_codes.h'),
    probeEventsSource(events, texts, TYPES),
  );
  writeIfChanged(
    join(root, 'native/generated/event_names.gen.h'),
    nameTables(texts, [...names].sort()).join('\n'),
  );
}

function nameTables(texts, paramNames) {
  const text = (value) => JSON.stringify(value);
  const list = (name, values) =>
    `inline constexpr std::string_view ${name}[] = {\n    ${values.map(text).join(',\n    ')}};`;
  const flagValues = [];
  const flagTables = Object.values(texts.flags).map((values) => {
    const first = flagValues.length;
    flagValues.push(...values.map(([name, value]) => `{${text(name)}, ${value}u}`));
    return `{${first}, ${values.length}}`;
  });
  const dynamicTables = Object.entries(texts.dynamic).map(([name, rows]) => {
    const entries = rows.map((row) => {
      const [type, format = 'dec'] = row.split(':');
      if (!(type in TYPES)) throw new Error(`names.json: ${name} has the unknown type ${type}`);
      return `{ParamType::${camel(type.toLowerCase())}, ParamFormat::${camel(format)}}`;
    });
    return `{${rows.length}, {{${entries.join(', ')}}}}`;
  });
  return [
    '// Generated from native/tables/names.json and events.json by scripts/generate/events.mjs.',
    '#pragma once',
    '',
    '#include <array>',
    '#include <cstdint>',
    '#include <string_view>',
    '',
    '#include "events.gen.h"',
    '',
    'namespace sfkit::scap {',
    '',
    '// By P.',
    list('kParamNames', paramNames),
    '',
    'struct NamedValue {',
    '  std::string_view name;',
    '  uint32_t value;',
    '};',
    '',
    `inline constexpr NamedValue kFlagValues[] = {\n    ${flagValues.join(',\n    ')}};`,
    '',
    'struct FlagTable {',
    '  uint16_t first;  // index into kFlagValues',
    '  uint16_t count;',
    '};',
    '',
    '// Masks and enumerations; ParamInfo::table is one more than the index.',
    `inline constexpr FlagTable kFlagTables[] = {${flagTables.join(', ')}};`,
    '',
    'struct DynamicType {',
    '  ParamType type;',
    '  ParamFormat format;',
    '};',
    '',
    'struct DynamicTable {',
    '  uint8_t count;',
    '  std::array<DynamicType, 8> types;  // by the selector in front of the value',
    '};',
    '',
    `inline constexpr DynamicTable kDynamicTables[] = {\n    ${dynamicTables.join(',\n    ')}};`,
    '',
    '// By portable code; empty where there is none.',
    list('kSyscallNames', texts.syscalls),
    '',
    '// By number of the kernel on x86-64; empty where there is none.',
    list('kX86SyscallNames', texts.x86_64_syscalls),
    '',
    '// By error number of Linux; empty where there is none.',
    list('kErrorNames', texts.errors),
    '',
    '// Errors that only the kernel uses, from this number on.',
    `inline constexpr int64_t kFirstKernelError = ${texts.kernel_errors.first};`,
    list('kKernelErrorNames', texts.kernel_errors.names),
    '',
    '// By signal number of Linux.',
    list('kSignalNames', texts.signals),
    '',
    '// By bit of a set of capabilities.',
    list('kCapabilityNames', texts.capabilities),
    '',
    'struct Service {',
    '  uint16_t port;',
    '  std::string_view name;',
    '};',
    '',
    '// Registered names of ports, by port.',
    `inline constexpr Service kServices[] = {${texts.services.map(([port, name]) => `{${port}, "${name}"}`).join(', ')}};`,
    '',
    '}  // namespace sfkit::scap',
    '',
  ];
}
