import { describe, expect, it } from 'vitest';
import { StatementReader } from '../../../src/query/shell/reader.js';

/** The statements after each line, and what is left. */
function read(...lines: string[]) {
  const reader = new StatementReader();
  return { statements: lines.map((line) => reader.add(line)), pending: reader.pending };
}

describe('statements from lines', () => {
  it.each([
    [['select 1;'], [['select 1']], ''],
    [['select', '1', ';'], [[], [], ['select\n1']], ''],
    [['select 1; select 2; select', '3;'], [['select 1', 'select 2'], ['select\n3']], ''],
    [["select ';", "';"], [[], ["select ';\n'"]], ''],
    [['select ";";'], [['select ";"']], ''],
    [['select $$;', '$$, $x$;$$;$x$;'], [[], ['select $$;\n$$, $x$;$$;$x$']], ''],
    [['select 1 -- ;', ';'], [[], ['select 1 -- ;']], ''],
    [['/* ;', '/* ; */ ;', '*/ select 1;'], [[], [], ['/* ;\n/* ; */ ;\n*/ select 1']], ''],
    [['', '  ', '-- only a comment', ';;', 'select 1;'], [[], [], [], [], ['select 1']], ''],
    [['select 1', 'from x'], [[], []], 'select 1\nfrom x\n'],
    [["select 'a"], [[]], "select 'a\n"],
  ])('%j', (lines, statements, pending) => {
    expect(read(...lines)).toEqual({ statements, pending });
  });

  it('the last one needs no semicolon', () => {
    const reader = new StatementReader();
    reader.add('select 1; select 2 ');
    expect(reader.finish()).toEqual(['select 2']);
    expect(reader.finish()).toEqual([]);
  });

  it('clear() drops an open string', () => {
    const reader = new StatementReader();
    reader.add("select 'a");
    reader.clear();
    expect(reader.add('select 1;')).toEqual(['select 1']);
  });
});
