import { describe, expect, it } from 'vitest';
import { isWatched, ProgressLine, progressText, sqlProgressText } from '../../src/cli/progress.js';

const at = (consumed: number, size = 1000e6) => ({
  size,
  consumed,
  bytes: 2 * consumed,
  events: consumed / 1e6,
});

describe('progressText', () => {
  it('has the share, the rate, the events and the time left', () => {
    expect(progressText('x.scap', at(250e6), 2000)).toBe(
      'x.scap: 25 %, 250.0 MB/s, 250 events, 6 s left',
    );
    expect(progressText('x.scap', at(1e6), 200_000)).toBe(
      'x.scap: 0 %, 0.0 MB/s, 1 events, 55 h 30 min left',
    );
    // A file that grows while it is read.
    expect(progressText('x.scap', at(1200e6), 2000)).toContain('100 %');
  });

  it('has megabytes where the size is unknown', () => {
    expect(progressText('-', at(5e6, 0), 2000)).toBe('standard input: 10 MB, 5.0 MB/s, 5 events');
  });

  it('escapes the name of the file', () => {
    expect(progressText('a\x1b[2Jb\n', at(5e6), 2000)).not.toMatch(/[\x1b\n]/);
  });
});

describe('sqlProgressText', () => {
  it('has the time, and the share as soon as DuckDB knows it', () => {
    expect(sqlProgressText(0, 1200)).toBe('SQL: 2 s');
    expect(sqlProgressText(0.425, 61_000)).toBe('SQL: 1 min 1 s, 42 %');
    expect(sqlProgressText(1.5, 1000)).toBe('SQL: 1 s, 100 %');
  });
});

it('nobody watches CI, dumb terminals and files', () => {
  expect(isWatched({ isTTY: true }, {})).toBe(true);
  expect(isWatched({ isTTY: true }, { CI: '' })).toBe(true);
  expect(isWatched({ isTTY: true }, { CI: 'true' })).toBe(false);
  expect(isWatched({ isTTY: true }, { CI: '1' })).toBe(false);
  expect(isWatched({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
  expect(isWatched({}, {})).toBe(false);
});

describe('the line', () => {
  /** A terminal with a clock that the test moves. */
  function terminal(columns = 80) {
    const written: string[] = [];
    const state = { now: 0, progress: at(100e6) };
    const output = {
      isTTY: true,
      columns,
      write: ((text: string) => written.push(text) > 0) as unknown as NodeJS.WriteStream['write'],
    };
    const line = new ProgressLine(output, () => state.now);
    const end = line.watch({ input: 'x.scap', progress: () => state.progress });
    return { written, state, output, line, end };
  }

  it('appears after a second, overwrites itself, and goes', () => {
    const { written, state, line, end } = terminal();
    state.now = 900;
    line.update();
    expect(written).toEqual([]);
    state.now = 1000;
    line.update();
    state.progress = at(200e6);
    state.now = 1200;
    line.update();
    line.update();
    end();
    expect(written).toHaveLength(3);
    expect(written[0]).toMatch(/^\rx\.scap: 10 %.*\x1b\[K$/);
    expect(written[1]).toMatch(/^\rx\.scap: 20 %/);
    expect(written[2]).toBe('\r\x1b[K');
  });

  it('is not there for short runs and inputs that send nothing', () => {
    const { written, state, line, end } = terminal();
    state.progress = at(0);
    state.now = 5000;
    line.update();
    end();
    line.update();
    expect(written).toEqual([]);
  });

  it('makes room for output, and stays away while there is more of it', () => {
    const { written, state, output, line, end } = terminal();
    line.yieldTo(output);
    state.now = 1000;
    line.update();
    output.write('result\n');
    expect(written.slice(1)).toEqual(['\r\x1b[K', 'result\n']);
    state.now = 1900;
    line.update();
    output.write('more\n');
    state.now = 2800;
    line.update();
    expect(written.slice(3)).toEqual(['more\n']);
    state.now = 2900;
    line.update();
    expect(written).toHaveLength(5);
    end();
  });

  it('shows the newest work, and the one before it again', () => {
    const { written, state, line } = terminal();
    const end = line.watch({ share: () => 0.5 });
    state.now = 2000;
    line.update();
    end();
    line.update();
    expect(written[0]).toMatch(/^\rSQL: 2 s, 50 %/);
    expect(written[1]).toMatch(/^\rx\.scap: /);
  });

  it('does not come back once it is held, until it is released', () => {
    const { written, state, line } = terminal();
    state.now = 1000;
    line.update();
    line.hold();
    state.now = 5000;
    line.update();
    expect(written).toHaveLength(2);
    line.release();
    line.update();
    expect(written).toHaveLength(3);
  });

  it('fits the terminal', () => {
    const { written, state, line } = terminal(30);
    state.now = 1000;
    line.update();
    const shown = (written[0] as string).slice(1, -3);
    expect(shown.length).toBeLessThan(30);
    expect(shown).toMatch(/^….*left$/);
  });
});
