import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';

// What the build refuses: rows of native/tables/events.json without a decision, and probe programs
// without a row.

const part = (name: string) =>
  import(pathToFileURL(join(root, 'scripts', 'generate', `${name}.mjs`)).href);
const { rolesSource, opsSource } = await part('event-roles');
const { eventsOfCalls } = await part('probe-events');
const { checkCalls } = await part('probe');

const enter = { code: 0, event: 'SYSCALL_X_E', kind: 'syscall', flags: [], params: ['dirfd:FD'] };
const exit = {
  code: 1,
  event: 'SYSCALL_X_X',
  kind: 'syscall',
  flags: [],
  params: ['res:ERRNO', 'path:FSPATH'],
};
const decided = { ...exit, handler: 'none', calls: [] };
const rolesOf = (row: object) => () => rolesSource([enter, { ...decided, ...row }]);

describe('a row of the table of events', () => {
  it('may decide that its event changes nothing', () => {
    expect(rolesOf({})()).toContain('Handler::kNone, Handler::kNone');
    expect(() => rolesSource([enter, { ...exit, calls: [] }])).toThrow(
      'SYSCALL_X_X has no "handler"',
    );
  });

  it('names as paths only parameters of itself and its enter event', () => {
    expect(rolesOf({ handler: 'seen', paths: ['path@dirfd'] })()).toContain(
      '{P::path, P::dirfd, kNoParameter, kNoParameter}',
    );
    expect(rolesOf({ paths: ['name'] })).toThrow('has no parameter "name"');
    expect(rolesOf({ paths: ['path', 'path', 'path'] })).toThrow('more than two "paths"');
  });

  it('lists the calls that it records, unless only old captures have it', () => {
    expect(rolesOf({ calls: undefined })).toThrow('has no "calls"');
    expect(rolesOf({ calls: undefined, flags: ['old_version'] })).not.toThrow();
  });

  it.each([
    [{ op: 'OPEN' }, 'its handler must be "seen" at least'],
    [{ handler: 'new_fd' }, '"makes" disagree'],
    [{ makes: 'timer' }, '"makes" disagree'],
    [{ handler: 'new_fd', makes: 'teapot' }, 'makes the unknown "teapot"'],
    [{ shows: 'teapot' }, 'shows the unknown "teapot"'],
    [{ letter: 'ab' }, '"letter"'],
  ])('is refused with %j', (row, message) => {
    expect(rolesOf(row)).toThrow(message);
  });

  it('counts as an operation that there is', () => {
    const ops = (row: object) => opsSource([enter, { ...decided, ...row }], ['OPEN']);
    expect(ops({ op: 'OPEN', compat_op: null })).toMatch(
      /kDefaultOps.*\n.*0, kOpOpen[\s\S]*kCompatOps.*\n.*0, 0}/,
    );
    expect(() => ops({ op: 'TEAPOT' })).toThrow('unknown operation TEAPOT');
  });
});

describe('programs of the probe', () => {
  const texts = { x86_64_syscalls: ['read', 'mseal'] };

  it('are for calls of x86-64 that one row names', () => {
    expect([...eventsOfCalls([{ ...decided, calls: ['mseal'] }], texts).keys()]).toEqual(['mseal']);
    expect(() => eventsOfCalls([{ ...decided, calls: ['teapot'] }], texts)).toThrow(
      'no system call of x86-64',
    );
    const twice = [decided, decided].map((row) => ({ ...row, calls: ['read'] }));
    expect(() => eventsOfCalls(twice, texts)).toThrow('read is a call of');
  });

  it('are those that the table names, each of them', () => {
    const sections = ['tp_btf/sys_exit', 'call', 'call/read,pread64', 'other/mseal'];
    const calls = ['read', 'pread64', 'mseal'];
    expect(() => checkCalls(sections, new Set(calls))).not.toThrow();
    expect(() => checkCalls(sections, new Set(['read', 'pread64']))).toThrow(
      'a program for mseal, which no row',
    );
    expect(() => checkCalls(sections, new Set(['read', 'mseal']))).toThrow(
      'a program for pread64, which no row',
    );
    expect(() => checkCalls(sections, new Set([...calls, 'write']))).toThrow(
      'names the call write',
    );
  });
});
