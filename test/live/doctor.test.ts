import { describe, expect, it } from 'vitest';
import { checkProbe } from '../../src/driver/probe.js';
import { SfkitError } from '../../src/engine/errors.js';
import { examine, type Machine } from '../../src/live/doctor.js';

const healthy: Record<string, string> = {
  '/proc/self/status': 'Name:\tnode\nCapEff:\t000001ffffffffff\n',
  '/proc/self/limits':
    'Max locked memory         8388608              8388608              bytes\n',
  '/proc/1/status': '',
  '/sys/kernel/btf/vmlinux': '',
  '/sys/fs/cgroup/cgroup.controllers': '',
};

const healthyUser = 'user:[4026531837]';

function machine(
  changes: Partial<Machine> = {},
  files: Record<string, string | undefined> = {},
): Machine {
  const all = { ...healthy, ...files };
  return {
    platform: 'linux',
    arch: 'x64',
    kernel: '6.1.0',
    read(path) {
      const content = all[path];
      if (content === undefined) throw new Error(`no ${path}`);
      return content;
    },
    link: (path) => (path.endsWith('/pid') ? 'pid:[4026531836]' : healthyUser),
    exists: (path) => all[path] !== undefined,
    canUse: () => true,
    tryProbe: () => '116 programs',
    ...changes,
  };
}

const failing = (checked: Machine) =>
  examine(checked)
    .filter(({ status }) => status !== 'ok')
    .map(({ name, status, code }) => [name, status, code]);

describe('the checks of live capture', () => {
  it('pass if all requirements are met', () => {
    expect(failing(machine())).toEqual([]);
    expect(examine(machine()).map(({ name }) => name)).toEqual([
      'system',
      'kernel types (BTF)',
      'capabilities',
      'lockdown',
      '/proc',
      'tracefs',
      'locked memory',
      'pid namespace',
      'cgroups',
      'container runtimes',
      'probe',
    ]);
  });

  it.each<[string, Machine, [string, string, string | undefined][]]>([
    [
      'another system',
      machine({ platform: 'darwin' }),
      [['system', 'fails', 'OperationNotSupported']],
    ],
    [
      'another processor',
      machine({ arch: 'arm64' }),
      [['system', 'fails', 'OperationNotSupported']],
    ],
    ['an old kernel', machine({ kernel: '5.9.0' }), [['system', 'fails', 'OperationNotSupported']]],
    [
      'no BTF',
      machine({}, { '/sys/kernel/btf/vmlinux': undefined }),
      [['kernel types (BTF)', 'fails', 'OperationNotSupported']],
    ],
    [
      'no rights',
      machine({}, { '/proc/self/status': 'CapEff:\t0000000000000000\n' }),
      [['capabilities', 'fails', 'ProbeAccessDenied']],
    ],
    [
      'only CAP_BPF and CAP_PERFMON',
      machine({}, { '/proc/self/status': 'CapEff:\t000000c000000000\n' }),
      [['capabilities', 'limited', undefined]],
    ],
    [
      'CAP_SYS_ADMIN and CAP_SYS_PTRACE, as before Linux 5.8',
      machine({}, { '/proc/self/status': 'CapEff:\t0000000000280004\n' }),
      [],
    ],
    [
      'no /proc',
      machine({}, { '/proc/self/status': undefined, '/proc/1/status': undefined }),
      [
        ['capabilities', 'limited', undefined],
        ['/proc', 'fails', 'ProcResourceNotFound'],
      ],
    ],
    [
      'lockdown',
      machine({}, { '/sys/kernel/security/lockdown': 'none integrity [confidentiality]' }),
      [['lockdown', 'fails', 'ProbeAccessDenied']],
    ],
    [
      'a harmless lockdown',
      machine({}, { '/sys/kernel/security/lockdown': 'none [integrity] confidentiality' }),
      [],
    ],
    [
      'hidden processes',
      machine({}, { '/proc/1/status': undefined }),
      [['/proc', 'limited', 'ProcResourceNotFound']],
    ],
    [
      'a kernel that counts buffers',
      machine({ kernel: '5.10.0' }),
      [['locked memory', 'limited', undefined]],
    ],
    [
      'a container',
      machine({ link: (path) => (path.endsWith('/pid') ? 'pid:[4026532001]' : healthyUser) }),
      [['pid namespace', 'limited', undefined]],
    ],
    [
      'a user namespace',
      machine({
        link: (path) => (path.endsWith('/pid') ? 'pid:[4026531836]' : 'user:[4026532002]'),
      }),
      [['capabilities', 'fails', 'ProbeAccessDenied']],
    ],
    [
      'a socket without access',
      machine({ canUse: () => false }, { '/var/run/docker.sock': '' }),
      [['container runtimes', 'limited', undefined]],
    ],
    [
      'a probe that the kernel rejects',
      machine({
        tryProbe() {
          throw new SfkitError('INPUT_NOT_SUPPORTED', 'the kernel rejects the program call/open');
        },
      }),
      [['probe', 'fails', 'ProbeNotLoaded']],
    ],
    [
      'a probe that is not built',
      machine({
        tryProbe() {
          throw new SfkitError(
            'INPUT_NOT_SUPPORTED',
            'this build of sfkit has no probe; build it on x86-64 Linux with clang',
          );
        },
      }),
      [['probe', 'fails', 'ProbeNotExist']],
    ],
  ])('report %s', (_, checked, expected) => {
    expect(failing(checked)).toEqual(expected);
  });

  it('give the errors of a driver', () => {
    const refuse = (checked: Machine) => () => checkProbe('CORE_EBPF', { machine: checked });
    expect(refuse(machine())).not.toThrow();
    expect(refuse(machine({}, { '/proc/self/status': 'CapEff:\t0\n' }))).toThrow(
      expect.objectContaining({
        code: 'ProbeAccessDenied',
        message: expect.stringContaining('CAP_BPF'),
      }),
    );
    expect(refuse(machine({ platform: 'win32' }))).toThrow(
      expect.objectContaining({ code: 'OperationNotSupported' }),
    );
  });

  it('do not ask for another probe where that of sfkit works', () => {
    const readFile = () => {
      throw Object.assign(new Error('none'), { code: 'ENOENT' });
    };
    for (const driver of ['EBPF', 'KMOD'] as const)
      expect(() => checkProbe(driver, { machine: machine(), readFile })).not.toThrow();
    // A file that the user names must be usable.
    const named = { machine: machine(), bpfProbe: '/p.o', readFile };
    expect(() => checkProbe('EBPF', named)).toThrow('/p.o: unusable eBPF probe: no such file');
    expect(() => checkProbe('KMOD', named)).not.toThrow();
  });

  it('look at the files of the host below HOST_ROOT', () => {
    const files = { '/host/proc/1/status': '', '/host/run/crio/crio.sock': '' };
    const checks = examine(machine({}, { ...files, '/proc/1/status': undefined }), '/host');
    expect(checks).toContainEqual({
      name: '/host/proc',
      status: 'ok',
      found: 'mounted',
      advice: '',
    });
    expect(checks).toContainEqual(
      expect.objectContaining({ name: 'container runtimes', found: '/host/run/crio/crio.sock' }),
    );
    const missing = { machine: machine(), hostRoot: '/host' };
    expect(() => checkProbe('CORE_EBPF', missing)).toThrow(
      expect.objectContaining({
        code: 'ProcResourceNotFound',
        message: '/host/proc: not mounted; mount it: it shows the running processes',
      }),
    );
  });
});
