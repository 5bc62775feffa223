import { describe, expect, it } from 'vitest';
import { matchesGlob, parseFindingFilter } from '../../src/check/finding-filter.js';
import { finding } from '../helpers/findings.js';

const one = finding({
  fields: {
    'proc.cmdline': 'sh -c id',
    'user.name': 'of the output',
    'proc.aname[2]': null,
    list: ['a', 'b'],
  },
  file: { path: '/etc/cron.d/x' },
  connection: {
    protocol: 'tcp',
    client: { ip: '10.0.0.7', port: 40000 },
    server: { ip: '10.0.0.9', port: 443 },
  },
});
const fits = (condition: string) => parseFindingFilter(condition)(one);

describe('a condition about findings', () => {
  it.each([
    ['process.name = sh'],
    ['proc.name = sh and proc.pname = nginx'],
    ['proc.name in (bash, "sh", dash)'],
    ['proc.cmdline = "sh -c id"'],
    ["proc.cmdline = 'sh -c id'"],
    ['proc.cmdline contains " -c "'],
    ['file.path startswith /etc/ and fd.name endswith x'],
    ['fd.name glob /etc/*/?'],
    ['proc.name icontains SH'],
    ['not proc.name = bash'],
    ['proc.name != bash'],
    ['proc.name = bash or container.image = shop/web'],
    ['proc.name = bash and proc.name = sh or proc.name = sh'],
    ['(proc.name = bash or proc.name = sh) and level = warning'],
    ['fd.sport = 443 and fd.sport < 1024 and fd.cport >= 40000'],
    ['user.name = "of the output"'],
    ['process.user = ana'],
    ['proc.aname = nginx'],
    ['process.ancestors.0.exepath = /usr/sbin/nginx'],
    ['process.ancestors.exepath = /usr/sbin/nginx'],
    ['list = b'],
    ['proc.name exists'],
    ['not proc.aname[2] exists'],
    ['not nosuch = 1'],
    ['tags in (T1059.004)'],
    ['rule startswith Shell and eventType=execve'],
  ])('is true: %s', (condition) => expect(fits(condition)).toBe(true));

  it.each([
    ['proc.name = SH'],
    ['proc.aname[2] = x'],
    ['nosuch = 1'],
    ['proc.name < 5'],
    ['fd.name glob /etc/?'],
    ['not (proc.name = sh or proc.name = bash)'],
    ['proc.name in ()'],
    ['toString exists'],
    ['constructor exists'],
    ['process.name = sh and not process.name = sh'],
  ])('is false: %s', (condition) => expect(fits(condition)).toBe(false));

  it.each([
    ['', 1, 'expected a name'],
    ['proc.name', 10, 'or exists, found the end'],
    ['proc.name = ', 13, 'expected a value'],
    ['proc.name = a b', 15, "expected 'and', 'or' or the end"],
    ['(proc.name = a', 15, "expected ')'"],
    ['proc.name in a', 14, "expected '('"],
    ['proc.name in (a b)', 17, "expected ',' or ')'"],
    ['fd.sport < many', 12, 'expected a number'],
    ['proc.name = "a', 13, 'expected a name, an operator or a value'],
    ['proc.name "=" a', 11, "or exists, found '='"],
    ['and = a', 1, 'expected a name'],
    ['process.pname = nginx', 1, 'expected one of process.pid'],
    ['container.nosuch exists', 1, 'expected one of container.id'],
  ])('is rejected: %s', (condition, column, message) => {
    expect(() => parseFindingFilter(condition)).toThrow(`condition, column ${column}: `);
    expect(() => parseFindingFilter(condition)).toThrow(message);
  });

  it('is rejected if it is too deep or too long', () => {
    expect(() => parseFindingFilter(`${'('.repeat(100)}a = 1${')'.repeat(100)}`)).toThrow(
      'at most 64 nested parts',
    );
    expect(() => parseFindingFilter(`${'not '.repeat(100)}a = 1`)).toThrow(
      'at most 64 nested parts',
    );
    expect(() => parseFindingFilter(`a = ${'b'.repeat(20_000)}`)).toThrow(
      'at most 16384 characters',
    );
  });
});

describe('a pattern', () => {
  it.each([
    ['', '', true],
    ['', '*', true],
    ['abc', 'a*c', true],
    ['abc', 'a?c', true],
    ['abc', '*b*', true],
    ['abc', 'ab', false],
    ['abc', 'abc?', false],
    ['aXbXc', 'a*b*c', true],
    ['a*c', 'a*c', true],
    ['abcab', '*ab', true],
  ])('%j fits %j: %s', (text, pattern, expected) =>
    expect(matchesGlob(text, pattern)).toBe(expected),
  );

  it('takes at most the product of both lengths in steps', () => {
    expect(matchesGlob('a'.repeat(20_000), `${'*a'.repeat(50)}b`)).toBe(false);
  });
});
