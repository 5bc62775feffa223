import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CheckTables } from '../../../src/check/sql/tables.js';
import { sysflow } from '../../../src/check/sysflow/sysflow.js';
import { fixtures } from '../../helpers/corpus.js';

// Attributes of the processor that tables lack: they never match, and rules that depend on them are
// unevaluated.

const capture = join(fixtures, 'webserver.scap');
const own = 'tables do not contain sf.proc.oid';
const ofFilter = 'a filter uses sf.proc.oid, which tables do not contain';

async function outcomeOf(content: string) {
  const set = sysflow.load([{ name: 'p.yaml', content }]);
  expect(set.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const tables = new CheckTables(capture);
  try {
    const run = set.run(capture, {
      rules: set.rules,
      allMatching: true,
      foldRepeats: true,
      tables,
    });
    for await (const _ of run);
    const [outcome] = run.outcomes();
    return [outcome?.state, outcome?.reason];
  } finally {
    tables.close();
  }
}

const rule = (condition: string) => `- rule: r\n  desc: d\n  condition: ${condition}\n`;
const filter = (kind: string, condition: string) => `- ${kind}: f\n  condition: ${condition}\n`;

it.each([
  ['compared', rule('sf.proc.oid = x'), 'unevaluated', own],
  ['not equal', rule('sf.proc.oid != x'), 'unevaluated', own],
  ['not', rule('not sf.proc.oid contains x'), 'unevaluated', own],
  ['exists', rule('sf.proc.oid exists'), 'unevaluated', own],
  ['in a list', rule('sf.proc.oid in (a, b)'), 'unevaluated', own],
  ['pmatch', rule('sf.proc.oid pmatch (a)'), 'unevaluated', own],
  ['on the right', rule('sf.proc.exe != sf.proc.oid'), 'unevaluated', own],
  ['as a number', rule('sf.proc.oid >= 0'), 'unevaluated', own],
  [
    'in a macro',
    `- macro: m\n  condition: sf.proc.oid exists\n${rule('sf.type = PE and m')}`,
    'unevaluated',
    own,
  ],
  ['an alternative', rule('sf.proc.oid = x or sf.type = PE'), 'matched', own],
  [
    'of no record',
    rule('sf.proc.oid = x and sf.type = KE or sf.type = PE and sf.proc.pid < 0'),
    'unevaluated',
    own,
  ],
  [
    'decided by the type',
    `${rule('sf.proc.oid = x and sf.type = KE')}  prefilter: [PE]\n`,
    'unmatched',
    undefined,
  ],
  [
    'in a filter',
    filter('filter', 'sf.proc.oid = x') + rule('sf.type = PE'),
    'unevaluated',
    ofFilter,
  ],
  [
    'in a drop',
    filter('drop', 'sf.proc.oid exists') + rule('sf.type = PE'),
    'unevaluated',
    ofFilter,
  ],
  [
    'in a macro of a filter',
    `- macro: m\n  condition: not sf.proc.oid in (l)\n- list: l\n  items: [x]\n${filter('filter', 'm')}${rule('sf.type = PE')}`,
    'unevaluated',
    ofFilter,
  ],
  [
    'in a filter of other records',
    filter('filter', 'sf.type = FF and sf.proc.oid = x') + rule('sf.type = PE'),
    'matched',
    undefined,
  ],
  [
    'in a filter and in the rule',
    filter('filter', 'sf.proc.oid = x') + rule('sf.pproc.oid = y'),
    'unevaluated',
    `tables do not contain sf.pproc.oid; ${ofFilter}`,
  ],
  [
    'after what drops everything',
    filter('filter', 'sf.proc.oid = x or sf.type exists') + rule('sf.type = PE'),
    'unevaluated',
    ofFilter,
  ],
  [
    'off',
    `${filter('filter', 'sf.proc.oid = x')}  enabled: false\n${rule('sf.type = PE')}`,
    'matched',
    undefined,
  ],
])('%s', { timeout: 60_000 }, async (_, content, state, reason) => {
  expect(await outcomeOf(content)).toEqual([state, reason]);
});
