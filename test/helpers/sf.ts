import avro from 'avsc';
import { openRecords } from '../../src/engine/session.js';

/** A record of a SysFlow file: its type without the namespace, and its fields. */
export interface SfRecord {
  type: string;
  fields: Record<string, unknown>;
}

/** Reads a .sf file with only avsc and the schema in the file; 64-bit integers are bigint. */
export function readSf(path: string): Promise<SfRecord[]> {
  return new Promise((resolve, reject) => {
    const records: SfRecord[] = [];
    const decoder = avro.createFileDecoder(path, {
      parseHook: (schema: avro.Schema) =>
        avro.Type.forSchema(schema, { registry: { long: bigLong }, wrapUnions: true }),
    } as never);
    decoder.on('data', (row: { rec: Record<string, Record<string, unknown>> }) => {
      const [name, fields] = Object.entries(row.rec)[0] as [string, Record<string, unknown>];
      records.push({ type: name.slice(name.lastIndexOf('.') + 1), fields });
    });
    decoder.on('end', () => resolve(records));
    decoder.on('error', reject);
  });
}

/** The bytes of a .sf file with the records of an input. */
export async function* openAvro(config: { input: string }): AsyncGenerator<Uint8Array> {
  const wanted = { tables: [], files: true, datums: false };
  for await (const batch of openRecords(config, wanted)) if ('bytes' in batch) yield batch.bytes;
}

/** 64-bit integers as bigint. */
export const bigLong = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (left: bigint, right: bigint) => (left < right ? -1 : left > right ? 1 : 0),
} as never);
