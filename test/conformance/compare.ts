import type { SfRecord } from '../helpers/sf.js';

/** How two files differ, by record type; types without a difference are left out. */
export interface Differences {
  [type: string]: TypeDifferences | 'differs';
}

export interface TypeDifferences {
  /** Records of the reference that have no counterpart, and records that only we have. */
  missing?: number;
  extra?: number;
  /** Counterparts that differ, by field. */
  fields?: Record<string, number>;
}

const truncate = 0x800;

/**
 * Compares our records with those of a reference. No field is ignored but SFHeader.filename, which
 * names the output. `order: 'differs'` when the records are the same in another order; flows that
 * were closed at one moment may come in any.
 */
export function compare(reference: readonly SfRecord[], ours: readonly SfRecord[]): Differences {
  const left = reference.map(normalize);
  const right = ours.map(normalize);
  const result: Differences = {};
  const types = new Set([...left, ...right].map((record) => record.type));
  for (const type of [...types].sort()) {
    const found = compareType(
      left.filter((record) => record.type === type),
      right.filter((record) => record.type === type),
    );
    if (found) result[type] = found;
  }
  const isSame = Object.keys(result).length === 0;
  if (isSame && ordered(left).join('\n') !== ordered(right).join('\n')) result.order = 'differs';
  return result;
}

interface Normalized {
  type: string;
  fields: Map<string, string>;
  text: string;
}

function normalize({ type, fields }: SfRecord): Normalized {
  const flat = new Map<string, string>();
  flatten('', fields, flat);
  if (type === 'SFHeader') flat.delete('filename');
  return { type, fields: flat, text: `${type} ${JSON.stringify([...flat])}` };
}

function flatten(prefix: string, value: unknown, into: Map<string, string>): void {
  if (
    value !== null &&
    typeof value === 'object' &&
    !Buffer.isBuffer(value) &&
    !Array.isArray(value)
  ) {
    for (const [key, inner] of Object.entries(value))
      flatten(prefix === '' ? key : `${prefix}.${key}`, inner, into);
    return;
  }
  const text = Buffer.isBuffer(value)
    ? value.toString('hex')
    : JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? inner.toString() : inner));
  into.set(prefix, text);
}

/** Fields that identify counterparts, most specific first. */
const identities: Record<string, readonly (readonly string[])[]> = {
  Process: [
    ['state', 'oid.createTS', 'oid.hpid', 'ts'],
    ['state', 'oid.createTS', 'oid.hpid'],
    ['oid.hpid'],
  ],
  File: [['oid', 'state', 'ts'], ['oid'], ['path'], ['ts']],
  FileFlow: [
    ['ts', 'tid', 'fd', 'fileOID'],
    ['ts', 'tid', 'fd'],
    ['tid', 'fd', 'fileOID'],
  ],
  NetworkFlow: [
    ['ts', 'tid', 'fd'],
    ['tid', 'fd', 'sip', 'sport', 'dip', 'dport'],
    ['tid', 'fd'],
  ],
  Container: [['id']],
  ProcessFlow: [['procOID.hpid', 'ts'], ['procOID.hpid']],
};
const otherIdentities = [
  ['ts', 'tid', 'opFlags'],
  ['ts', 'tid'],
  ['tid', 'opFlags'],
];

function compareType(
  left: readonly Normalized[],
  right: readonly Normalized[],
): TypeDifferences | undefined {
  const counts = new Map<string, number>();
  for (const record of right) counts.set(record.text, (counts.get(record.text) ?? 0) + 1);
  let missing = left.filter((record) => !take(counts, record.text));
  const extra = right.filter((record) => take(counts, record.text));
  const fields: Record<string, number> = {};
  for (const identity of identities[left[0]?.type ?? ''] ?? otherIdentities) {
    const unpaired: Normalized[] = [];
    for (const record of missing) {
      const index = extra.findIndex((candidate) =>
        identity.every((name) => candidate.fields.get(name) === record.fields.get(name)),
      );
      if (index === -1) {
        unpaired.push(record);
        continue;
      }
      const [counterpart] = extra.splice(index, 1) as [Normalized];
      for (const name of new Set([...record.fields.keys(), ...counterpart.fields.keys()])) {
        if (record.fields.get(name) !== counterpart.fields.get(name))
          fields[name] = (fields[name] ?? 0) + 1;
      }
    }
    missing = unpaired;
  }
  const result: TypeDifferences = {
    ...(missing.length > 0 ? { missing: missing.length } : {}),
    ...(extra.length > 0 ? { extra: extra.length } : {}),
    ...(Object.keys(fields).length > 0 ? { fields } : {}),
  };
  return Object.keys(result).length > 0 ? result : undefined;
}

/** Takes one of the counted; false when there is none left. */
function take(counts: Map<string, number>, key: string): boolean {
  const count = counts.get(key) ?? 0;
  if (count > 0) counts.set(key, count - 1);
  return count > 0;
}

/** The records in order, flows that were closed at one moment sorted. */
function ordered(records: readonly Normalized[]): string[] {
  const result: string[] = [];
  let run: string[] = [];
  let moment: string | undefined;
  for (const record of records) {
    const isClosedFlow =
      record.type.endsWith('Flow') && (Number(record.fields.get('opFlags')) & truncate) !== 0;
    const endTs = isClosedFlow ? record.fields.get('endTs') : undefined;
    if (endTs !== moment || endTs === undefined) {
      result.push(...run.sort());
      run = [];
      moment = endTs;
    }
    run.push(record.text);
  }
  result.push(...run.sort());
  return result;
}
