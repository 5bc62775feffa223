import avro from 'avsc';
import { SfkitError } from '../engine/errors.js';
import { privateBranches, sysflowSchema } from '../engine/schema.gen.js';
import type { DatumBatch } from '../engine/session.js';
import type { EndedRecord, SysFlowRecord } from './types.js';

/** A record and its bytes: a complete datum of the SysFlow schema, except for IPv6 flows. */
export interface Datum {
  record: SysFlowRecord;
  bytes: Buffer;
}

/** Yields the records of a batch, and between them the entities that end. */
export function* decodeBatch(batch: DatumBatch): Generator<Datum | { ended: EndedRecord }> {
  const all = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
  let start = 0;
  for (const end of batch.ends) {
    const bytes = all.subarray(start, end);
    const ended = decodeEnd(bytes);
    yield ended === undefined ? { record: decode(bytes), bytes } : { ended };
    start = end;
  }
}

/** Branches that the engine adds for ended entities. */
function decodeEnd(datum: Buffer): EndedRecord | undefined {
  switch ((datum[0] as number) >> 1) {
    case privateBranches.gone:
      return { type: 'Ended', entity: 'process', oid: processGoneType.decode(datum, 1).value };
    case privateBranches.filesForgotten:
      return { type: 'Ended', entity: 'files' };
    case privateBranches.containerGone:
      return { type: 'Ended', entity: 'container', id: textType.decode(datum, 1).value as string };
    case privateBranches.podGone:
      return { type: 'Ended', entity: 'pod', id: textType.decode(datum, 1).value as string };
    default:
      return undefined;
  }
}

const textType = avro.Type.forSchema('string');

export function decode(datum: Buffer): SysFlowRecord {
  // Avro writes a branch number below 64 as one byte, twice its value.
  const branch = (datum[0] as number) >> 1;
  const reader = readers[branch];
  if (reader === undefined)
    throw new SfkitError('UNKNOWN', `the engine returned a record of unknown type ${branch}`);
  const { value, offset } = reader.type.decode(datum, 1);
  if (offset !== datum.length)
    throw new SfkitError('UNKNOWN', 'the engine returned a record with trailing bytes');
  return reader.make(value);
}

/** 64-bit numbers as bigint, exactly. */
const longType = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (left: bigint, right: bigint) => (left < right ? -1 : left > right ? 1 : 0),
});

const typeHook = (schema: unknown) =>
  schema === 'long' || (schema as { type?: unknown }).type === 'long' ? longType : undefined;

interface Reader {
  type: avro.Type;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is that of the schema, which the record types declare.
  make(value: any): SysFlowRecord;
}

/** The types of the schema's union, and the branch that the engine adds. */
export function branchTypes(): avro.Type[] {
  const registry: Record<string, avro.Type> = {};
  const options = { registry, typeHook } as unknown as Partial<avro.ForSchemaOptions>;
  const record = avro.Type.forSchema(
    sysflowSchema as unknown as avro.Schema,
    options,
  ) as avro.types.RecordType;
  const union = (record.fields[0] as { type: avro.Type }).type as avro.types.UnwrappedUnionType;
  return [...union.types, avro.Type.forSchema(ipv6Flow(), options)];
}

function makeReaders(): Reader[] {
  return branchTypes().map((type, branch) => ({ type, make: makers[branch] as Reader['make'] }));
}

/** The branch that the engine adds to the schema: NetworkFlow with addresses of 16 bytes. */
function ipv6Flow(): avro.Schema {
  const branches = sysflowSchema.fields[0].type as unknown as {
    name: string;
    fields: { name: string }[];
  }[];
  const flow = branches.find(({ name }) => name === 'NetworkFlow') as (typeof branches)[number];
  const address = (name: string) => ({ type: 'fixed', namespace: 'sfkit', name, size: 16 });
  const fields = flow.fields.map((field) =>
    field.name === 'sip' || field.name === 'dip'
      ? { ...field, type: address(`Address_${field.name}`) }
      : field,
  );
  return { ...flow, name: 'NetworkFlowIpv6', fields } as unknown as avro.Schema;
}

const hex = (bytes: Buffer) => Buffer.from(bytes).toString('hex');

// In the order of the union. The schema defines NetworkEvent, but nothing writes it.
const makers: Reader['make'][] = [
  (value) => ({ type: 'Header', ...value }),
  ({ type, ...value }) => ({ type: 'Container', ...value, containerType: type }),
  (value) => ({ type: 'Process', ...value }),
  (value) => ({
    type: 'File',
    ...value,
    oid: hex(value.oid),
    restype: String.fromCharCode(value.restype),
  }),
  (value) => ({ type: 'ProcessEvent', ...value }),
  (value) => ({
    type: 'NetworkFlow',
    ...value,
    family: 4,
    sip: ipv4(value.sip),
    dip: ipv4(value.dip),
  }),
  (value) => ({ type: 'FileFlow', ...value, fileOID: hex(value.fileOID) }),
  (value) => ({
    type: 'FileEvent',
    ...value,
    fileOID: hex(value.fileOID),
    newFileOID: value.newFileOID === null ? null : hex(value.newFileOID),
  }),
  () => {
    throw new SfkitError('UNKNOWN', 'the engine returned a NetworkEvent');
  },
  (value) => ({ type: 'ProcessFlow', ...value }),
  (value) => ({
    type: 'Pod',
    ...value,
    hostIP: addresses(value.hostIP),
    internalIP: addresses(value.internalIP),
    services: value.services.map((service: { clusterIP: bigint[] }) => ({
      ...service,
      clusterIP: addresses(service.clusterIP),
    })),
  }),
  (value) => ({ type: 'K8sEvent', ...value }),
  (value) => ({
    type: 'NetworkFlow',
    ...value,
    family: 6,
    sip: ipv6(value.sip),
    dip: ipv6(value.dip),
  }),
];

const readers = makeReaders();

const processGoneType = avro.Type.forSchema(
  {
    type: 'record',
    name: 'OID',
    fields: [
      { name: 'createTS', type: 'long' },
      { name: 'hpid', type: 'long' },
    ],
  },
  { typeHook } as unknown as Partial<avro.ForSchemaOptions>,
);

/** Formats four bytes in network order that were read as a little-endian number. */
function ipv4(number: number): string {
  return [number, number >> 8, number >> 16, number >> 24].map((part) => part & 0xff).join('.');
}

/**
 * The addresses of a pod or service. One number is an IPv4 address; from the end, two are an IPv6
 * address if one of them needs more than 32 bits (native/src/sysflow/ip_numbers.h).
 */
function addresses(numbers: readonly bigint[]): string[] {
  const isIpv4 = (number: bigint | undefined) =>
    number !== undefined && number >= -(2n ** 31n) && number < 2n ** 32n;
  let start = numbers.length;
  while (start >= 2 && !(isIpv4(numbers[start - 2]) && isIpv4(numbers[start - 1]))) start -= 2;
  const found = numbers
    .slice(0, start)
    .map((number) => (isIpv4(number) ? ipv4(Number(number)) : String(number)));
  const bytes = Buffer.alloc(16);
  for (let at = start; at < numbers.length; at += 2) {
    bytes.writeBigInt64LE(numbers[at] as bigint, 0);
    bytes.writeBigInt64LE(numbers[at + 1] as bigint, 8);
    found.push(ipv6(bytes));
  }
  return found;
}

/** Formats as RFC 5952 requires: lower case, the first longest run of zero groups as :: */
function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    bytes.readUInt16BE(index * 2).toString(16),
  );
  let best = { start: 0, size: 1 };
  for (let start = 0; start < groups.length; start++) {
    let size = 0;
    while (groups[start + size] === '0') size += 1;
    if (size > best.size) best = { start, size };
  }
  if (best.size < 2) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.size).join(':')}`;
}
