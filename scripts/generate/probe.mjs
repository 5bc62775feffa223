// Converts the probe's object files to a C++ source: the programs, their references, and the
// members of kernel types that their offsets mean. So the loader needs to know neither ELF nor the
// probe's own types. Usage: node scripts/generate/probe.mjs OUTPUT BTF_OBJECT RAW_OBJECT
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventsOfCalls } from './probe-events.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const kinds = {
  0: 'kFieldOffset',
  1: 'kFieldSize',
  2: 'kFieldExists',
  4: 'kFieldLeftShift',
  5: 'kFieldRightShift',
  9: 'kTypeSize',
};

/** Sections by name, and symbols, of a 64-bit little-endian object file. */
function readObject(path) {
  const bytes = readFileSync(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = (at) => Number(view.getBigUint64(at, true));
  const sectionsAt = number(0x28);
  const sectionSize = view.getUint16(0x3a, true);
  const sectionCount = view.getUint16(0x3c, true);
  const namesIndex = view.getUint16(0x3e, true);
  const sections = [];
  for (let i = 0; i < sectionCount; i++) {
    const at = sectionsAt + i * sectionSize;
    const offset = number(at + 0x18);
    sections.push({
      index: i,
      nameAt: view.getUint32(at, true),
      type: view.getUint32(at + 4, true),
      flags: number(at + 8),
      bytes: bytes.subarray(offset, offset + number(at + 0x20)),
      link: view.getUint32(at + 0x28, true),
      info: view.getUint32(at + 0x2c, true),
    });
  }
  const names = sections[namesIndex].bytes;
  for (const section of sections) section.name = textAt(names, section.nameAt);
  const table = sections.find((section) => section.type === 2);
  const strings = sections[table.link].bytes;
  const symbols = [];
  for (let at = 0; at < table.bytes.length; at += 24) {
    symbols.push({
      name: textAt(strings, table.bytes.readUInt32LE(at)),
      section: table.bytes.readUInt16LE(at + 6),
      value: Number(table.bytes.readBigUInt64LE(at + 8)),
    });
  }
  return { sections, symbols };
}

function textAt(bytes, at) {
  return bytes.toString('utf8', at, bytes.indexOf(0, at));
}

/** The types of the object that member paths need. */
function readTypes(bytes) {
  const headerSize = bytes.readUInt32LE(4);
  const typesAt = headerSize + bytes.readUInt32LE(8);
  const typesEnd = typesAt + bytes.readUInt32LE(12);
  const strings = bytes.subarray(headerSize + bytes.readUInt32LE(16));
  const types = [undefined];
  for (let at = typesAt; at < typesEnd; ) {
    const info = bytes.readUInt32LE(at + 4);
    const kind = (info >>> 24) & 0x1f;
    const count = info & 0xffff;
    const type = {
      name: textAt(strings, bytes.readUInt32LE(at)),
      kind,
      refers: bytes.readUInt32LE(at + 8),
    };
    at += 12;
    if (kind === 1) at += 4;
    else if (kind === 3) {
      type.element = bytes.readUInt32LE(at);
      at += 12;
    } else if (kind === 4 || kind === 5) {
      type.members = [];
      for (let i = 0; i < count; i++, at += 12) {
        type.members.push({
          name: textAt(strings, bytes.readUInt32LE(at)),
          type: bytes.readUInt32LE(at + 4),
        });
      }
    } else if (kind === 6) at += count * 8;
    else if (kind === 13) at += count * 8;
    else if (kind === 14) at += 4;
    else if (kind === 15) at += count * 12;
    else if (kind === 17) at += 4;
    else if (kind === 19) at += count * 12;
    types.push(type);
  }
  const plain = (id) => {
    let type = types[id];
    // typedef, volatile, const, restrict, type tag
    while ([8, 9, 10, 11, 18].includes(type.kind)) type = types[type.refers];
    return type;
  };
  return { types, plain, strings };
}

/** The name without the suffix that distinguishes versions of a type. */
function essential(name) {
  return name.replace(/___.*$/, '');
}

/** The path of members (names) and elements (numbers), starting at the outer type. */
function pathOf({ plain }, id, access) {
  const [, ...steps] = access.split(':').map(Number);
  const path = [];
  let type = plain(id);
  for (const step of steps) {
    if (type.kind === 3) {
      path.push(String(step));
      type = plain(type.element);
      continue;
    }
    const member = type.members[step];
    path.push(member.name);
    type = plain(member.type);
  }
  return path.join('.');
}

function readProbe(path, fields) {
  const { sections, symbols } = readObject(path);
  const named = (name) => sections.find((section) => section.name === name);
  const types = readTypes(named('.BTF').bytes);
  const programs = sections
    .filter(
      ({ type, flags, name, bytes }) =>
        type === 1 && (flags & 4) !== 0 && name !== '.text' && bytes.length > 0,
    )
    .map(({ index, name, bytes }) => ({ index, name, bytes, relocations: [] }));
  const program = (test) => programs.find(test);

  for (const section of sections.filter(({ type }) => type === 9)) {
    const owner = program(({ index }) => index === section.info);
    if (owner === undefined) continue;
    for (let at = 0; at < section.bytes.length; at += 16) {
      const symbol = symbols[section.bytes.readUInt32LE(at + 12)];
      const instruction = Number(section.bytes.readBigUInt64LE(at)) / 8;
      const target = sections[symbol.section].name;
      if (target === '.maps')
        owner.relocations.push({ instruction, kind: 'kMap', name: symbol.name });
      else if (target === '.rodata') {
        // A table of constants that the compiler made would be taken for the configuration.
        if (symbol.name !== 'config')
          throw new Error(`${path}: ${owner.name} has a table of constants`);
        // The address in the instruction is relative to the symbol.
        owner.relocations.push({ instruction, kind: 'kConfig', name: '', value: symbol.value });
      } else
        throw new Error(
          `${path}: ${owner.name} refers to ${target}, which the loader does not know`,
        );
    }
  }

  const extra = named('.BTF.ext').bytes;
  const headerSize = extra.readUInt32LE(4);
  let at = headerSize + extra.readUInt32LE(24);
  const end = at + extra.readUInt32LE(28);
  const recordSize = extra.readUInt32LE(at);
  for (at += 4; at < end; ) {
    const name = textAt(types.strings, extra.readUInt32LE(at));
    const count = extra.readUInt32LE(at + 4);
    const owner = program((candidate) => candidate.name === name);
    at += 8;
    for (let i = 0; i < count; i++, at += recordSize) {
      const kind = kinds[extra.readUInt32LE(at + 12)];
      const id = extra.readUInt32LE(at + 4);
      const type = types.plain(id);
      const member = pathOf(types, id, textAt(types.strings, extra.readUInt32LE(at + 8)));
      if (kind === undefined || (type.name === '' && kind !== 'kTypeSize'))
        throw new Error(
          `${path}: ${name} asks of ${type.name}.${member} what the loader does not know`,
        );
      const key = `${essential(type.name)}\0${member}`;
      if (!fields.has(key)) fields.set(key, fields.size);
      owner.relocations.push({
        instruction: extra.readUInt32LE(at) / 8,
        kind,
        field: fields.get(key),
      });
    }
  }
  for (const each of programs) each.relocations.sort((a, b) => a.instruction - b.instruction);
  return programs;
}

/**
 * Every program of a system call must be in the "calls" of a row of events.json, and every such
 * call must have a program: what the loader does not find, it leaves out without a word.
 */
export function checkCalls(sections, calls) {
  const programs = new Set(
    sections
      .filter((name) => /^(call|other)\//.test(name))
      .flatMap((name) => name.split('/')[1].split(',')),
  );
  const unknown = [...programs].filter((name) => !calls.has(name));
  const missing = [...calls].filter((name) => !programs.has(name));
  const problems = [
    ...unknown.map(
      (name) => `the probe has a program for ${name}, which no row of events.json names in "calls"`,
    ),
    ...missing.map(
      (name) => `events.json names the call ${name}, for which the probe has no program`,
    ),
  ];
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

function callsOfTable() {
  const table = (name) =>
    JSON.parse(readFileSync(join(root, `native/tables/${name}.json`), 'utf8'));
  return new Set(eventsOfCalls(table('events').events, table('names')).keys());
}

/** ring_data -> kRingData: the loader's name for a map. */
function mapName(name) {
  return `k${name.replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase())}`;
}

function programSource(prefix, program, index) {
  const words = [];
  for (let at = 0; at < program.bytes.length; at += 8)
    words.push(`0x${program.bytes.readBigUInt64LE(at).toString(16)}`);
  const relocations = program.relocations.map(({ instruction, kind, name, field, value }) => {
    const map = `static_cast<uint16_t>(ProbeMap::${mapName(name ?? '')})`;
    const target = kind === 'kMap' ? map : kind === 'kConfig' ? value : field;
    return `{${instruction}, Relocation::${kind}, ${target}}`;
  });
  const table =
    relocations.length > 0
      ? `const Relocation ${prefix}Relocations${index}[] = {${relocations.join(', ')}};\n`
      : '';
  return `const uint64_t ${prefix}Code${index}[] = {${words.join(',')}};
${table}`;
}

function tableSource(name, prefix, programs) {
  const rows = programs.map(
    (program, index) =>
      `    {"${program.name}", ${prefix}Code${index}, ${program.bytes.length / 8}, ${program.relocations.length > 0 ? `${prefix}Relocations${index}` : 'nullptr'}, ${program.relocations.length}},`,
  );
  return `const ProgramImage ${name}[] = {\n${rows.join('\n')}\n};\n`;
}

/** The source for both variants of the probe, or for a build without a probe. */
export function probeSource(btfObject, rawObject) {
  const head =
    '// Generated from native/probe by scripts/generate/probe.mjs.\n#include "live/program.h"\n\nnamespace sfkit::live {\n';
  if (btfObject === undefined)
    return `${head}
std::span<const ProgramImage> btf_programs() { return {}; }
std::span<const ProgramImage> raw_programs() { return {}; }
std::span<const KernelField> kernel_fields() { return {}; }
}  // namespace sfkit::live
`;
  const fields = new Map();
  const variants = [
    ['kBtfPrograms', 'kBtf', readProbe(btfObject, fields)],
    ['kRawPrograms', 'kRaw', readProbe(rawObject, fields)],
  ];
  const calls = callsOfTable();
  for (const [, , programs] of variants)
    checkCalls(
      programs.map(({ name }) => name),
      calls,
    );
  const members = [...fields.keys()].map((key) => {
    const [type, path] = key.split('\0');
    return `    {"${type}", "${path}"},`;
  });
  return `${head}namespace {
${variants.map(([, prefix, programs]) => programs.map((program, i) => programSource(prefix, program, i)).join('')).join('')}
${variants.map(([name, prefix, programs]) => tableSource(name, prefix, programs)).join('')}
const KernelField kFields[] = {
${members.join('\n')}
};
}  // namespace
std::span<const ProgramImage> btf_programs() { return kBtfPrograms; }
std::span<const ProgramImage> raw_programs() { return kRawPrograms; }
std::span<const KernelField> kernel_fields() { return kFields; }
}  // namespace sfkit::live
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [output, btfObject, rawObject] = process.argv.slice(2);
  writeFileSync(output, probeSource(btfObject, rawObject));
}
