import { expect, it } from 'vitest';
import { refuseSysdig, sysdigHint } from '../../src/cli/other-tools.js';

const known = ['events', 'top'];

it.each([
  [['-r', 'x.scap'], 'sfkit events x.scap'],
  [['-rx.scap', 'evt.type=open'], 'sfkit events x.scap --filter evt.type=open'],
  [
    ['-r', 'a b.scap', 'proc.name', '=', "it's"],
    "sfkit events 'a b.scap' --filter 'proc.name = it'\\''s'",
  ],
  [
    ['-r', 'x.scap', '-n', '10', '-p', '%evt.num %proc.name'],
    "sfkit events x.scap -p '%evt.num %proc.name' -n 10",
  ],
  [['-r', 'x.scap', '-w', 'y.scap'], 'sfkit recover x.scap -o y.scap'],
  [['-w', 'now.scap', '-n', '5'], 'sfkit record -o now.scap -n 5'],
  [['-n', '5', 'fd.port=80'], 'sfkit live -n 5 --filter fd.port=80'],
  [['-r', 'x.scap', '-c', 'topprocs_cpu'], 'sfkit top cpu x.scap'],
  [['-c', 'topprocs_cpu'], 'sfkit top cpu capture.scap'],
  // A command that this version does not have is not recommended.
  [['-r', 'x.scap', '-c', 'lsof'], 'sfkit query --list, whose queries answer what chisels answer'],
  [
    ['-r', 'x.scap', '-c', 'constructor'],
    'sfkit query --list, whose queries answer what chisels answer',
  ],
])('%j of sysdig is %s', (args, hint) => {
  expect(sysdigHint(args, known)).toBe(hint);
});

it('leaves other arguments alone', () => {
  for (const args of [[], ['info', '-r'], ['--help'], ['-h'], ['-x'], ['-r']]) {
    expect(() => refuseSysdig(args)).not.toThrow();
  }
  expect(() => refuseSysdig(['-r', 'x.scap'])).toThrow(
    '-r is a flag of sysdig; the command of sfkit is: sfkit events',
  );
});
