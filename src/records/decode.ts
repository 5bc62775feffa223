import avro from 'avsc';
import { SfkitError } from '../engine/errors.js';
import type { NativeDatumBatch } from '../engine/native.js';
import { privateBranches, sysflowSchema } from '../engine/schema.gen.js';
import type { Gone, SysFlowRecord } from './types.js';

/** A record and the bytes it was read from: a whole datum of the SysFlow schema, but for flows of IPv6. */
export interface Datum {
  record: SysFlowRecord;
  bytes: Buffer;
}

/** The records of a batch, one after the other, with the entities that go between. */
export function* decodeBatch(batch: NativeDatumBatch): Generator<Datum | { gone: Gone }> {
  const all = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
  let start = 0;
  for (const end of batch.ends) {
    const bytes = all.subarray(start, end);
    if (bytes[0] === privateBranches.gone << 1) yield { gone: processGoneType.decode(bytes, 1).value };
    else if (bytes[0] === privateBranches.filesForgotten << 1) yield { gone: 'files' };
    else if (bytes[0] === privateBranches.containerGone << 1)
      yield { gone: { container: textType.decode(bytes, 1).value as string } };
    else yield { record: decode(bytes), bytes };
    start = end;
  }
}

const textType = avro.Type.forSchema('string');

export function decode(datum: Buffer): SysFlowRecord {
  // Branch numbers are below 64, so that they take one byte, twice their value.
  const branch = (datum[0] as number) >> 1;
  const reader = readers[branch];
  if (reader === undefined) throw new SfkitError('UNKNOWN', `the engine gave a record of the unknown kind ${branch}`);
  const { value, offset } = reader.type.decode(datum, 1);
  if (offset !== datum.length) throw new SfkitError('UNKNOWN', 'the engine gave a record with something behind it');
  return reader.make(value);
}

/** Numbers of 64 bits exactly. */
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
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the schema's, which the types of a record state.
  make(value: any): SysFlowRecord;
}

/** The types of the schema's union, and the one that the engine adds. */
export function branchTypes(): avro.Type[] {
  const registry: Record<string, avro.Type> = {};
  const options = { registry, typeHook } as unknown as Partial<avro.ForSchemaOptions>;
  const record = avro.Type.forSchema(sysflowSchema as unknown as avro.Schema, options) as avro.types.RecordType;
  const union = (record.fields[0] as { type: avro.Type }).type as avro.types.UnwrappedUnionType;
  return [...union.types, avro.Type.forSchema(ipv6Flow(), options)];
}

function makeReaders(): Reader[] {
  return branchTypes().map((type, branch) => ({ type, make: makers[branch] as Reader['make'] }));
}

/** The branch that the engine adds to the schema: NetworkFlow with addresses of 16 bytes. */
function ipv6Flow(): avro.Schema {
  const branches = sysflowSchema.fields[0].type as unknown as { name: string; fields: { name: string }[] }[];
  const flow = branches.find(({ name }) => name === 'NetworkFlow') as (typeof branches)[number];
  const address = (name: string) => ({ type: 'fixed', namespace: 'sfkit', name, size: 16 });
  const fields = flow.fields.map((field) =>
    field.name === 'sip' || field.name === 'dip' ? { ...field, type: address(`Address_${field.name}`) } : field,
  );
  return { ...flow, name: 'NetworkFlowIpv6', fields } as unknown as avro.Schema;
}

const hex = (bytes: Buffer) => Buffer.from(bytes).toString('hex');

// In the order of the union; NetworkEvent is defined by the schema and written by nobody.
const makers: Reader['make'][] = [
  (value) => ({ type: 'Header', ...value }),
  ({ type, ...value }) => ({ type: 'Container', ...value, containerType: type }),
  (value) => ({ type: 'Process', ...value }),
  (value) => ({ type: 'File', ...value, oid: hex(value.oid), restype: String.fromCharCode(value.restype) }),
  (value) => ({ type: 'ProcessEvent', ...value }),
  (value) => ({ type: 'NetworkFlow', ...value, family: 4, sip: ipv4(value.sip), dip: ipv4(value.dip) }),
  (value) => ({ type: 'FileFlow', ...value, fileOID: hex(value.fileOID) }),
  (value) => ({
    type: 'FileEvent',
    ...value,
    fileOID: hex(value.fileOID),
    newFileOID: value.newFileOID === null ? null : hex(value.newFileOID),
  }),
  () => {
    throw new SfkitError('UNKNOWN', 'the engine gave a NetworkEvent');
  },
  (value) => ({ type: 'ProcessFlow', ...value }),
  ({ ts, id, name, nodeName, namespace, restartCount }) => ({
    type: 'Pod',
    ts,
    id,
    name,
    nodeName,
    namespace,
    restartCount,
  }),
  (value) => ({ type: 'K8sEvent', ...value }),
  (value) => ({ type: 'NetworkFlow', ...value, family: 6, sip: ipv6(value.sip), dip: ipv6(value.dip) }),
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

/** Four bytes in network order that were read as a little-endian number. */
function ipv4(number: number): string {
  return [number, number >> 8, number >> 16, number >> 24].map((part) => part & 0xff).join('.');
}

/** The text of RFC 5952: lower case, the first of the longest runs of zero groups as :: */
function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  let best = { start: 0, size: 1 };
  for (let start = 0; start < groups.length; start++) {
    let size = 0;
    while (groups[start + size] === '0') size += 1;
    if (size > best.size) best = { start, size };
  }
  if (best.size < 2) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.size).join(':')}`;
}
