// Turns native/tables/events.json, the one place where event shapes are declared, into the C++ table
// the engine reads: native/generated/events.gen.h.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

const KINDS = ['none', 'syscall', 'tracepoint', 'plugin', 'metaevent', 'iter'];

const camel = (name) =>
  `k${name
    .split('_')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')}`;

export function generate(root) {
  const { events } = JSON.parse(readFileSync(join(root, 'native/tables/events.json'), 'utf8'));
  const names = new Set();
  const params = [];
  const counts = [];
  const rows = [];

  events.forEach((event, index) => {
    if (event.code !== index) throw new Error(`events.json: code ${event.code} stands at place ${index}`);
    const unknown = event.flags.find((flag) => !FLAGS.includes(flag));
    if (unknown) throw new Error(`events.json: ${event.event} has the unknown flag ${unknown}`);
    if (!KINDS.includes(event.kind)) throw new Error(`events.json: ${event.event} has the unknown kind ${event.kind}`);
    const shape = { params: params.length, counts: counts.length };
    for (const param of event.params) {
      const [name, type] = param.split(':');
      if (!(type in TYPES)) throw new Error(`events.json: ${event.event}.${name} has the unknown type ${type}`);
      names.add(name);
      params.push(`{P::${name}, ParamType::${camel(type.toLowerCase())}, ${TYPES[type]}}`);
    }
    counts.push(...(event.counts ?? []));
    const flags = event.flags.reduce((bits, flag) => bits | (1 << FLAGS.indexOf(flag)), 0);
    rows.push(
      `{"${event.event}", "${event.name}", 0x${flags.toString(16)}, EventKind::${camel(event.kind)}, ` +
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
    '};',
    '',
    'struct EventInfo {',
    '  const char* code_name;',
    '  const char* name;',
    '  uint16_t flags;  // EventFlag bits',
    '  EventKind kind;',
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
}
