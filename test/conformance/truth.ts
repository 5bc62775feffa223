import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { listEvents } from '../../src/export/events.js';
import { memorySink } from '../helpers/sinks.js';

// Reads events of a capture, as the public capture library and as sfkit show them.

/** Names of the compared fields. */
export const comparedFields = [
  'evt.rawtime',
  'evt.cpu',
  'evt.dir',
  'evt.type',
  'thread.tid',
  'thread.vtid',
  'proc.pid',
  'proc.ppid',
  'proc.name',
  'proc.exe',
  'proc.exepath',
  'proc.cwd',
  'container.id',
  'user.uid',
  'evt.res',
  'evt.rawres',
  'fd.num',
  'fd.typechar',
  'fd.name',
] as const;

export type Row = Readonly<Record<string, string>>;

export interface Comparison {
  /** Events of the table, and those among them that are not procinfo records. */
  rows: number;
  realRows: number;
  /** Equal events among `realRows`. */
  equal: number;
  /**
   * What differs, as 'field of <event', for fields of the thread as 'field', with how many events.
   */
  kinds: Record<string, number>;
  /** An example of each kind: number of the event, theirs, ours. */
  examples: Record<string, string>;
}

/** The rows of a `.events.tsv.gz` by number of the event block. */
export function readTruth(path: string): Map<number, Row> {
  const [head = '', ...lines] = gunzipSync(readFileSync(path)).toString('utf8').split('\n');
  const names = head.split('\t');
  return new Map(
    lines
      .filter((line) => line !== '')
      .map((line) => {
        const values = line.split('\t');
        return [
          Number(values[0]),
          Object.fromEntries(names.map((name, place) => [name, values[place] ?? ''])),
        ];
      }),
  );
}

/** The same fields of the same capture by `sfkit events`. */
export async function readOurs(capture: string): Promise<Map<number, Row>> {
  const sink = memorySink();
  const line = `%evt.num\t${comparedFields.map((name) => `%${name}`).join('\t')}`;
  await listEvents(capture, { format: 'text', line }, sink);
  const rows = new Map<number, Row>();
  for (const text of sink.text().split('\n')) {
    if (text === '') continue;
    const [number, ...values] = text.split('\t');
    rows.set(
      Number(number),
      Object.fromEntries(comparedFields.map((name, place) => [name, values[place] ?? ''])),
    );
  }
  return rows;
}

export function compareEvents(
  truth: ReadonlyMap<number, Row>,
  ours: ReadonlyMap<number, Row>,
): Comparison {
  const result: Comparison = { rows: truth.size, realRows: 0, equal: 0, kinds: {}, examples: {} };
  for (const [number, theirs] of truth) {
    const isReal = theirs['evt.type'] !== 'procinfo';
    const row = ours.get(number);
    let isEqual = true;
    const differs = (what: string, expected: string, found: string) => {
      // What belongs to the thread differs in whatever it does.
      const isOfEvent = what.startsWith('evt.') || what.startsWith('fd.') || what === 'presence';
      const kind = isOfEvent ? `${what} of ${theirs['evt.dir']}${theirs['evt.type']}` : what;
      result.kinds[kind] = (result.kinds[kind] ?? 0) + 1;
      result.examples[kind] ??= `event ${number}: theirs '${expected}', ours '${found}'`;
      isEqual = false;
    };
    if (row === undefined) {
      differs('presence', 'a row', 'none');
    } else {
      for (const name of comparedFields) {
        const expected = (theirs[name] ?? '').replaceAll('\\x5c', '\\');
        const value = row[name] as string;
        // The host has no id in the tables.
        const found =
          value === '<NA>' || (name === 'container.id' && value === 'host') ? '' : value;
        if (expected !== found) differs(name, expected, found);
      }
    }
    if (!isReal) continue;
    result.realRows += 1;
    if (isEqual) result.equal += 1;
  }
  return result;
}
