import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { declaredTables } from '../../../src/query/errors/surroundings.js';
import { complete, type Vocabulary } from '../../../src/query/shell/completion.js';
import { testDirectory } from '../../helpers/directory.js';

const scratch = testDirectory();

const hostile = { name: 'file_\x1b[2J', columns: [{ name: 'odd name', type: 'VARCHAR' }] };
const vocabulary: Vocabulary = {
  tables: [...declaredTables(), hostile],
  functions: ['starts_with', 'substring'],
  keywords: ['select', 'set', 'from'],
  queries: new Map([
    ['process', ['pid', 'seconds']],
    ['processes', []],
    ['users', []],
  ]),
  commands: new Map<string, 'table' | 'file' | 'none' | readonly string[]>([
    ['.schema', 'table'],
    ['.save', 'file'],
    ['.mode', ['table', 'line']],
    ['.tables', 'none'],
  ]),
};

const words = (line: string, pending = '', after = '') =>
  complete(line, pending, vocabulary, after)[0];

describe('completion', () => {
  it.each([
    ['.s', ['.schema', '.save']],
    ['.mo', ['.mode ']],
    ['.mode l', ['line']],
    ['.schema net', ['network_event', 'network_flow']],
    ['.tables x', []],
    ['@u', ['@users ']],
    ['@pro', ['@process', '@processes']],
    ['@process s', ['seconds=']],
    ['@process pid=3 ', ['pid=', 'seconds=']],
    ['from net', ['network_event', 'network_flow']],
    ['select 1 from process p join net', ['network_event', 'network_flow']],
    ['from process, net', ['network_event', 'network_flow']],
    ['describe hea', ['header']],
    ['FROM NET', ['network_event', 'network_flow']],
    ['from process p select p.proc_ex', ['proc_exe']],
    ['from process as q where q.proc_ex', ['proc_exe']],
    ['from process where process.proc_ex', ['proc_exe']],
    ['from process where net_dp', []],
    ['from network_flow where net_dp', ['net_dport']],
    ['select net_dp', ['net_dport']],
    ['sel', ['select']],
    ['SEL', ['SELECT']],
    ['select substr', ['substring(']],
    ["select 'net", []],
    ['select 1 -- net', []],
  ])('%j', (line, expected) => {
    expect(words(line)).toEqual(expected);
  });

  it('knows the tables in lines above, and after the cursor', () => {
    expect(words('where net_dp', 'from process\n')).toEqual([]);
    expect(words('where net_dp', 'from network_flow\n')).toEqual(['net_dport']);
    expect(words('select fd_na', '', ' from events')).toEqual(['fd_name']);
    expect(words('select fd_na', '', ' from process')).toEqual([]);
    expect(words('net', "select '\n")).toEqual([]);
  });

  it('quotes names that need it, and offers none with control characters', () => {
    const odd: Vocabulary = { ...vocabulary, tables: [hostile] };
    expect(complete('select ', '', odd)[0]).toEqual(['"odd name"']);
    expect(words('from file')).toEqual(['file_event', 'file_flow', 'file']);
  });

  it('replaces the part that is typed', () => {
    expect(complete('select proc_e from x where a.B', '', vocabulary)[1]).toBe('B');
    expect(complete('.schema ', '', vocabulary)[1]).toBe('');
  });

  it('completes files', () => {
    mkdirSync(scratch.path('files/sub'), { recursive: true });
    for (const name of ['answer.csv', 'answers.csv', '.hidden'])
      writeFileSync(scratch.path(`files/${name}`), '');
    const at = scratch.path('files');
    expect(words(`.save ${at}/ans`)).toEqual([`${at}/answer.csv`, `${at}/answers.csv`]);
    expect(words(`.save ${at}/s`)).toEqual([`${at}/sub/`]);
    expect(words(`.save ${at}/.h`)).toEqual([`${at}/.hidden`]);
    expect(words(`.save ${at}/missing/x`)).toEqual([]);
  });
});
