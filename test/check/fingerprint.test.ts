import { describe, expect, it } from 'vitest';
import { FindingIds, fingerprint } from '../../src/check/fingerprint.js';
import { finding } from '../helpers/findings.js';

const withFields = (fields: Parameters<typeof fingerprint>[0]['fields'], parts = {}) =>
  fingerprint(finding({ fields, ...parts }));

describe('the fingerprint of a finding', () => {
  it.each([
    ...[
      'proc.pid',
      'proc.apid[2]',
      'thread.tid',
      'evt.time',
      'evt.rawtime.ns',
      'evt.num',
      'fd.num',
      'fd.cport',
    ],
    ...[
      'proc.exe_ino.ctime',
      'proc.ppid.ts',
      'evt.arg.pid',
      'proc_pid',
      'ts',
      'net_sport',
      'fd',
      'flow_rbytes',
    ],
  ])('does not depend on %s', (name) => {
    expect(withFields({ [name]: 1, 'proc.name': 'a' })).toBe(
      withFields({ [name]: 2, 'proc.name': 'a' }),
    );
  });

  it.each([
    'proc.name',
    'fd.name',
    'fd.sport',
    'fd.sip',
    'user.uid',
    'proc.cmdline',
    'evt.type',
    'file_path',
    'net_dport',
  ])('depends on %s', (name) =>
    expect(withFields({ [name]: '1' })).not.toBe(withFields({ [name]: '2' })),
  );

  it('depends on rule and language, not on locations, times and the order of fields', () => {
    const one = finding({ fields: { a: 1, b: 2 } });
    const other = {
      ...one,
      fields: { b: 2, a: 1 },
      capture: '/x',
      location: { file: '/y', line: 9 },
      count: 7,
      level: 'debug',
    };
    expect(fingerprint(other)).toBe(fingerprint(one));
    expect(fingerprint({ ...one, rule: 'Other' })).not.toBe(fingerprint(one));
    expect(fingerprint({ ...one, language: 'sigma' })).not.toBe(fingerprint(one));
    expect(fingerprint(one)).toMatch(/^[0-9a-f]{32}$/);
  });

  it('does not depend on process ids and kernel object numbers in paths', () => {
    const path = (text: string) => withFields({ 'fd.name': text });
    expect(path('/proc/12/task/13/maps')).toBe(path('/proc/4711/task/9/maps'));
    expect(path('socket:[123]')).toBe(path('socket:[9]'));
    expect(path('/srv/12/maps')).not.toBe(path('/srv/13/maps'));
  });

  it('does not depend on the client port', () => {
    const connected = (port: number) => {
      const client = { ip: '10.0.0.7', port };
      const connection = { protocol: 'tcp', client, server: { ip: '10.0.0.9', port: 443 } };
      return withFields(
        { 'fd.name': `10.0.0.7:${port}->10.0.0.9:443`, 'fd.lport': port, 'fd.rport': 443 },
        { connection },
      );
    };
    expect(connected(40000)).toBe(connected(51234));
    expect(connected(40000)).not.toBe(
      withFields({ 'fd.name': '10.0.0.7:40000->10.0.0.9:80', 'fd.lport': 40000, 'fd.rport': 80 }),
    );
  });

  it('does not depend on the client port in other languages, for IPv4 and IPv6', () => {
    const said = (ip: string, port: number) => {
      const shown = ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
      const connection = { protocol: 'tcp', client: { ip, port }, server: { ip, port: 443 } };
      return withFields(
        {},
        { connection, output: `CONNECT ${shown} to ${shown.replace(`${port}`, '443')}` },
      );
    };
    expect(said('10.0.0.7', 40000)).toBe(said('10.0.0.7', 51234));
    expect(said('fd00::7', 40000)).toBe(said('fd00::7', 51234));
    expect(said('10.0.0.7', 40000)).not.toBe(said('10.0.0.8', 40000));
  });

  it('uses the output text if it has no fields', () => {
    expect(withFields({}, { output: 'a' })).toBe(withFields({}, { output: 'a' }));
    expect(withFields({}, { output: 'a' })).not.toBe(withFields({}, { output: 'b' }));
  });
});

it('repeated ids are numbered from 2', () => {
  const ids = new FindingIds();
  const [one, other] = [finding(), finding({ rule: 'Other' })];
  const given = [ids.next(one), ids.next(other), ids.next(one), ids.next(one)];
  expect(given[0]).toMatch(/^[0-9a-f]{16}$/);
  expect(given.slice(2)).toEqual([`${given[0]}-2`, `${given[0]}-3`]);
  expect(given[1]).not.toBe(given[0]);
});
