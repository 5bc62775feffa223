import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import avro from 'avsc';
import type { Codec } from '../engine/config.js';
import { branches, sysflowSchema } from '../engine/schema.gen.js';
import { branchTypes } from './decode.js';

/** Names of records in the union of the schema. */
export type BranchName = keyof typeof branches;

/** Bytes of records that fill a block. */
const blockBytes = 1 << 16;

const longs = avro.Type.forSchema('long');
const bytesType = avro.Type.forSchema('bytes');

/** Encodes records of the schema as the bytes of a SysFlow file, block by block. */
export class SysflowEncoder {
  readonly #types = branchTypes();
  readonly #sync: Buffer;
  readonly #codec: Codec;
  #header: Buffer | undefined;
  #records: Buffer[] = [];
  #bytes = 0;

  constructor(codec: Codec) {
    this.#codec = codec;
    const schema = JSON.stringify(sysflowSchema);
    // Derived from the schema alone: the same records give the same marker everywhere.
    this.#sync = createHash('sha1').update(schema).digest().subarray(0, 16);
    const entries = [
      ['avro.codec', codec],
      ['avro.schema', schema],
    ].flatMap(([key, value]) => [
      bytesType.toBuffer(Buffer.from(key as string)),
      bytesType.toBuffer(Buffer.from(value as string)),
    ]);
    this.#header = Buffer.concat([
      Buffer.from('Obj\x01'),
      longs.toBuffer(2),
      ...entries,
      longs.toBuffer(0),
      this.#sync,
    ]);
  }

  /** Adds a record; returns bytes to write when a block is full. */
  add(name: BranchName, record: object): Buffer | undefined {
    const branch = branches[name];
    const type = this.#types[branch] as avro.Type;
    const datum = Buffer.concat([longs.toBuffer(branch), type.toBuffer(record)]);
    this.#records.push(datum);
    this.#bytes += datum.length;
    return this.#bytes < blockBytes ? undefined : this.take();
  }

  /** Returns the pending bytes; the first call includes the file header. */
  take(): Buffer {
    const parts = this.#header === undefined ? [] : [this.#header];
    this.#header = undefined;
    if (this.#records.length > 0) {
      const datums = Buffer.concat(this.#records);
      const block = this.#codec === 'deflate' ? deflateRawSync(datums) : datums;
      parts.push(longs.toBuffer(this.#records.length), bytesType.toBuffer(block), this.#sync);
    }
    this.#records = [];
    this.#bytes = 0;
    return Buffer.concat(parts);
  }
}
