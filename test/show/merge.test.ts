import { describe, expect, it } from 'vitest';
import type { TableName } from '../../src/engine/columns.gen.js';
import { emptySummary } from '../../src/engine/empty-summary.js';
import { type Candidate, merged } from '../../src/show/merge.js';
import type { Source } from '../../src/show/source.js';
import { batch, type Row } from '../helpers/batches.js';

interface Log {
  open: number;
  most: number;
  events: string[];
}

/** An input whose batches have these rows; the first time is that of the first row. */
function candidate(
  log: Log,
  place: number,
  batches: readonly (readonly Row[])[],
  table: TableName = 'sysflow',
): Candidate {
  const left = batches.map((rows) => batch(table, rows));
  const [first] = batches.flat();
  const source: Source = {
    next: async () => left.shift(),
    summary: async () => ({ ...emptySummary, format: String(place) }),
    stop: () => left.splice(0),
    close: () => {
      log.open -= 1;
      log.events.push(`close ${place}`);
    },
  };
  const time = first?.endts_uts ?? first?.ts_uts;
  return {
    place,
    first: time === undefined || time === null ? undefined : BigInt(time as number),
    open: async () => {
      log.open += 1;
      log.most = Math.max(log.most, log.open);
      log.events.push(`open ${place}`);
      return source;
    },
    done: async () => void log.events.push(`done ${place}`),
  };
}

const newLog = (): Log => ({ open: 0, most: 0, events: [] });
const events = (...times: number[]): Row[] => times.map((ts_uts) => ({ ts_uts, idx: ts_uts }));
const never = new AbortController().signal;

async function idsOf(candidates: readonly Candidate[], signal = never): Promise<number[]> {
  const ids: number[] = [];
  for await (const { batch, from, to } of merged(candidates, signal))
    for (let row = from; row < to; row++) ids.push(Number(batch.column('idx').get(row)));
  return ids;
}

describe('rows of several inputs', () => {
  it('come in the order of time', async () => {
    const log = newLog();
    const inputs = [
      candidate(log, 0, [events(5, 7), events(20)]),
      candidate(log, 1, [events(1, 6, 8), events(9, 30)]),
      candidate(log, 2, [[], events(2)]),
    ];
    expect(await idsOf(inputs)).toEqual([1, 2, 5, 6, 7, 8, 9, 20, 30]);
    expect(log.open).toBe(0);
    expect(log.events.filter((event) => event.startsWith('done')).sort()).toEqual([
      'done 0',
      'done 1',
      'done 2',
    ]);
  });

  it('keep the order of their input, where a flow stands at its end', async () => {
    const log = newLog();
    const flow = { ts_uts: 1, endts_uts: 10, idx: 100 };
    const early = { ts_uts: 3, idx: 101 };
    const inputs = [
      candidate(log, 0, [[{ ts_uts: 2, idx: 99 }, flow, early, { ts_uts: 12, idx: 102 }]]),
      candidate(log, 1, [events(4, 11)]),
    ];
    expect(await idsOf(inputs)).toEqual([99, 4, 100, 101, 11, 102]);
  });

  it('open one input after the other if their times do not overlap', async () => {
    const log = newLog();
    const inputs = [3, 1, 2, 0].map((hour, place) =>
      candidate(log, place, [events(hour * 100, hour * 100 + 1)]),
    );
    expect(await idsOf(inputs)).toEqual([0, 1, 100, 101, 200, 201, 300, 301]);
    expect(log.most).toBe(1);
  });

  it('read at most 8 inputs at once, all of them in the end', async () => {
    const log = newLog();
    const inputs = Array.from({ length: 40 }, (_, place) =>
      candidate(log, place, [events(place, 1000 + place)]),
    );
    expect((await idsOf(inputs)).sort((a, b) => a - b)).toEqual([
      ...Array.from({ length: 40 }, (_, place) => place),
      ...Array.from({ length: 40 }, (_, place) => 1000 + place),
    ]);
    expect(log.most).toBe(8);
  });

  it('follow each other if the table has no times', async () => {
    const log = newLog();
    const texts: string[] = [];
    const inputs = [0, 1].map((place) =>
      candidate(
        log,
        place,
        [[{ container_id: `${place}a` }, { container_id: `${place}b` }]],
        'container',
      ),
    );
    for await (const { batch, from, to } of merged(inputs, never))
      for (let row = from; row < to; row++)
        texts.push(String(batch.column('container_id').get(row)));
    expect(texts).toEqual(['0a', '0b', '1a', '1b']);
  });

  it('leave out an input that does not open', async () => {
    const log = newLog();
    const bad = { ...candidate(log, 0, [events(1)]), open: async () => undefined };
    expect(await idsOf([bad, candidate(log, 1, [events(2)])])).toEqual([2]);
  });

  it('end once the signal is aborted; further inputs are not opened', async () => {
    const log = newLog();
    const controller = new AbortController();
    const inputs = [
      candidate(log, 0, [events(1), events(2), events(3)]),
      candidate(log, 1, [events(50)]),
    ];
    const ids: number[] = [];
    for await (const { batch, from } of merged(inputs, controller.signal)) {
      ids.push(Number(batch.column('idx').get(from)));
      controller.abort();
    }
    expect(ids).toEqual([1]);
    expect(log.events).toEqual(['open 0', 'done 0', 'close 0']);
  });

  it('close their inputs when the reader goes', async () => {
    const log = newLog();
    for await (const _ of merged([candidate(log, 0, [events(1), events(2)])], never)) break;
    expect(log.events).toEqual(['open 0', 'close 0']);
  });
});
