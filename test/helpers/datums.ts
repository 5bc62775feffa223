import avro from 'avsc';
import { sysflowSchema } from '../../src/engine/schema.gen.js';
import { bigLong } from './sf.js';

/** The schema in a reader that is independent of sfkit's; 64-bit numbers are bigint. */
export function sysflowType(): avro.Type {
  const typeHook = (schema: unknown) =>
    schema === 'long' || (schema as { type?: unknown }).type === 'long' ? bigLong : undefined;
  const options = { typeHook, wrapUnions: true } as unknown as Partial<avro.ForSchemaOptions>;
  return avro.Type.forSchema(sysflowSchema as unknown as avro.Schema, options);
}

/** A record of that reader: its name without the namespace, and its fields. */
export function unwrap(value: unknown): { name: string; fields: Record<string, unknown> } {
  const [[name, fields]] = Object.entries((value as { rec: object }).rec) as [
    [string, Record<string, unknown>],
  ];
  return { name: name.replace(/^.*\./, ''), fields };
}
