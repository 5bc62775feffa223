import avro from 'avsc';
import { SfkitError } from '../engine/errors.js';
import { privateBranches, sysflowSchema } from '../engine/schema.gen.js';
import type { DatumBatch } from '../engine/session.js';
import { addressTexts, ipv6Text } from './ip-numbers.js';
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

// In the order of the union.
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
  (value) => ({ type: 'NetworkEvent', ...value, sip: ipv4(value.sip), dip: ipv4(value.dip) }),
  (value) => ({ type: 'ProcessFlow', ...value }),
  (value) => ({
    type: 'Pod',
    ...value,
    hostIP: addressTexts(value.hostIP),
    internalIP: addressTexts(value.internalIP),
    services: value.services.map((service: { clusterIP: bigint[] }) => ({
      ...service,
      clusterIP: addressTexts(service.clusterIP),
    })),
  }),
  (value) => ({ type: 'K8sEvent', ...value }),
  (value) => ({
    type: 'NetworkFlow',
    ...value,
    family: 6,
    sip: ipv6Text(value.sip),
    dip: ipv6Text(value.dip),
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
