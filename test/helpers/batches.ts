import { ColumnBatch } from '../../src/engine/batch.js';
import { type TableName, tableColumns } from '../../src/engine/columns.gen.js';
import type {
  NativeBatch,
  NativeColumn,
  NativeColumnBatch,
  NativeSession,
  NativeSummary,
} from '../../src/engine/native.js';

/** A row by column name; missing columns are null, or 0 or '' if the column has no nulls. */
export type Row = Record<string, string | number | bigint | boolean | null>;

/** A batch like those of the engine. */
export function nativeBatch(table: TableName, rows: readonly Row[]): NativeColumnBatch {
  const strings: Buffer[] = [];
  const indexes = new Map<string, number>();
  const intern = (text: string) => {
    if (!indexes.has(text)) {
      indexes.set(text, strings.length);
      strings.push(Buffer.from(text));
    }
    return indexes.get(text) as number;
  };
  const columns: NativeColumn[] = tableColumns[table]
    .filter((column) => !column.derived)
    .map((column) => {
      const cells = rows.map((row) => row[column.name] ?? null);
      const hasNull = cells.includes(null) && column.nullable;
      let valid: Uint8Array | null = null;
      if (hasNull) {
        const bits = new Uint8Array(Math.ceil(rows.length / 8));
        cells.forEach((cell, row) => {
          if (cell !== null) bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
        });
        valid = bits;
      }
      switch (column.type) {
        case 'str':
          return {
            values: Uint32Array.from(cells, (cell) =>
              cell === null && hasNull ? 0 : intern(String(cell ?? '')),
            ),
            valid,
          };
        case 'i64':
          return {
            values: BigInt64Array.from(cells, (cell) =>
              BigInt((cell as bigint | number | null) ?? 0),
            ),
            valid,
          };
        case 'bool':
          return { values: Uint8Array.from(cells, (cell) => (cell ? 1 : 0)), valid };
        default:
          return { values: Int32Array.from(cells, (cell) => Number(cell ?? 0)), valid };
      }
    });
  const offsets = new Uint32Array(strings.length + 1);
  strings.forEach((text, index) => {
    offsets[index + 1] = (offsets[index] as number) + text.byteLength;
  });
  return {
    kind: 'columns',
    table,
    rows: rows.length,
    file: 0,
    startSeconds: 0,
    strings: { offsets, bytes: new Uint8Array(Buffer.concat(strings)) },
    columns,
  };
}

export function batch(table: TableName, rows: readonly Row[]): ColumnBatch {
  return new ColumnBatch(nativeBatch(table, rows));
}

export const emptySummary: NativeSummary = {
  format: 'scap',
  compression: 'none',
  events: 0n,
  bytes: 0n,
  records: {},
  tables: {
    startSeconds: 0n,
    containers: 0n,
    processes: 0n,
    files: 0n,
    networkFlows: 0n,
    fileFlows: 0n,
    processFlows: 0n,
  },
  containersSeen: 0n,
  containersUndescribed: 0n,
  shown: 0n,
  live: { running: false, events: 0n, gaps: [], recordingFailure: '', privilegesFailure: '' },
  info: {
    version: '1.2',
    swapped: false,
    processList: 9,
    countedParameters: true,
    hasEnters: false,
    writer: '',
    sections: 1n,
    hostname: '',
    cpus: 0,
    memoryBytes: 0n,
    bootTime: 0n,
    threads: 0n,
    processes: 0n,
    descriptors: 0n,
    users: 0n,
    groups: 0n,
    interfaces: 0n,
    containers: 0n,
    events: [],
  },
  skipped: [],
  notes: [],
  damage: [],
  firstTime: 0n,
  lastTime: 0n,
};

/** A session that returns the given batches. */
export function fakeSession(
  batches: readonly NativeBatch[],
  summary: Partial<NativeSummary> = {},
): NativeSession {
  const rest = [...batches];
  return {
    next: async () => rest.shift() ?? null,
    progress: () => ({ size: 0, consumed: 0, bytes: 0, events: 0 }),
    summary: () => ({ ...emptySummary, ...summary }),
    stop: () => rest.splice(0),
    close: () => rest.splice(0),
    takeUnknownContainers: () => [],
    takeBusiest: () => [],
    describeContainer: () => {},
    addKubernetesEvent: () => {},
  };
}
