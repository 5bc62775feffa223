import { accessSync, constants, existsSync, readFileSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';
import { loadAddon } from '../engine/addon.js';
import { liveConfig } from '../engine/config.js';
import type { SysFlowErrorCode } from '../engine/sysflow-errors.js';
import { usualSockets } from './runtimes/watcher.js';

/** One requirement of live capture, and whether this machine meets it. */
export interface Check {
  name: string;
  /** fails: live capture cannot work; limited: it works, but see `advice`. */
  status: 'ok' | 'limited' | 'fails';
  found: string;
  /** What to do; empty if nothing. */
  advice: string;
  /** Error code of a driver that cannot start for this reason. */
  code?: SysFlowErrorCode;
}

/** The facts that the checks use; tests replace them. */
export interface Machine {
  platform: string;
  arch: string;
  kernel: string;
  read(path: string): string;
  link(path: string): string;
  exists(path: string): boolean;
  canUse(path: string): boolean;
  /** Loads the probe and returns what works; throws if it does not load. */
  tryProbe(): string;
}

export const thisMachine: Machine = {
  platform: process.platform,
  arch: process.arch,
  kernel: release(),
  read: (path) => readFileSync(path, 'utf8'),
  link: (path) => readlinkSync(path),
  exists: existsSync,
  canUse(path) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
      return true;
    } catch {
      return false;
    }
  },
  tryProbe() {
    const { recordPath, recordGzip, dropsPrivileges, maxEvents, hostRoot, ...options } = liveConfig(
      {},
    );
    return loadAddon().tryProbe(options);
  },
};

/**
 * Runs every check; a failed one does not stop the others. `hostRoot`: directory with the files of
 * the host, '' for the own root directory.
 */
export function examine(machine: Machine = thisMachine, hostRoot = ''): Check[] {
  const system = checkSystem(machine);
  if (system.status === 'fails') return [system];
  return [
    system,
    checkBtf(machine),
    checkCapabilities(machine),
    checkLockdown(machine),
    checkProc(machine, hostRoot),
    checkTracefs(machine),
    checkMemlock(machine),
    checkNamespace(machine),
    checkCgroups(machine),
    checkRuntimes(machine, hostRoot),
    checkProbeLoads(machine),
  ];
}

const ok = (name: string, found: string): Check => ({ name, status: 'ok', found, advice: '' });

function checkSystem({ platform, arch, kernel }: Machine): Check {
  const found = `${platform} ${arch}, kernel ${kernel}`;
  const fails = (advice: string): Check => ({
    name: 'system',
    status: 'fails',
    found,
    advice,
    code: 'OperationNotSupported',
  });
  if (platform !== 'linux' || arch !== 'x64')
    return fails('live capture needs Linux on x86-64; reading captures works here');
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  if (major < 5 || (major === 5 && minor < 10)) return fails('the probe needs Linux 5.10 or later');
  return ok('system', found);
}

const btf = '/sys/kernel/btf/vmlinux';

function checkBtf({ exists }: Machine): Check {
  if (exists(btf)) return ok('kernel types (BTF)', btf);
  return {
    name: 'kernel types (BTF)',
    status: 'fails',
    found: `${btf} is missing`,
    advice: 'use a kernel built with CONFIG_DEBUG_INFO_BTF, like those of current distributions',
    code: 'OperationNotSupported',
  };
}

/** Numbers from linux/capability.h. */
const capabilities = {
  CAP_DAC_READ_SEARCH: 2,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
} as const;

/** The kernel fixes the numbers of the initial namespaces. */
const firstNamespaces = { user: 'user:[4026531837]', pid: 'pid:[4026531836]' };

function checkCapabilities({ read, link }: Machine): Check {
  const name = 'capabilities';
  let held: bigint;
  try {
    held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(read('/proc/self/status'))?.[1] ?? '0'}`);
  } catch {
    return { name, status: 'limited', found: 'unknown', advice: 'mount /proc, which shows them' };
  }
  const has = (capability: keyof typeof capabilities) =>
    (held >> BigInt(capabilities[capability])) & 1n;
  const missing = (['CAP_BPF', 'CAP_PERFMON'] as const).filter(
    (one) => !has(one) && !has('CAP_SYS_ADMIN'),
  );
  if (missing.length > 0) {
    return {
      name,
      status: 'fails',
      found: `without ${missing.join(' and ')}`,
      advice: 'run as root, or with CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH',
      code: 'ProbeAccessDenied',
    };
  }
  // Kernels without user namespaces have no such link.
  if (![firstNamespaces.user, 'unknown'].includes(namespaceOf(link, 'user'))) {
    return {
      name,
      status: 'fails',
      found: 'of a user namespace',
      advice:
        'run outside of it: eBPF needs privileges of the host (containers: not rootless, --userns=host)',
      code: 'ProbeAccessDenied',
    };
  }
  const wanted = (['CAP_SYS_PTRACE', 'CAP_DAC_READ_SEARCH'] as const).filter((one) => !has(one));
  if (wanted.length === 0) return ok(name, 'all present');
  return {
    name,
    status: 'limited',
    found: `without ${wanted.join(' and ')}`,
    advice: "open files and programs of other users' running processes stay unknown",
  };
}

function checkLockdown({ read }: Machine): Check {
  const name = 'lockdown';
  let mode = 'none';
  try {
    mode = /\[(\w+)\]/.exec(read('/sys/kernel/security/lockdown'))?.[1] ?? mode;
  } catch {
    // Kernels without lockdown have no such file.
  }
  if (mode !== 'confidentiality') return ok(name, mode);
  return {
    name,
    status: 'fails',
    found: mode,
    advice:
      'start the kernel with lockdown=integrity or without lockdown: in this mode eBPF programs cannot read kernel memory',
    code: 'ProbeAccessDenied',
  };
}

function checkProc({ exists }: Machine, hostRoot: string): Check {
  const name = `${hostRoot}/proc`;
  if (exists(`${name}/1/status`)) return ok(name, 'mounted');
  const code = 'ProcResourceNotFound';
  if (!exists(`${name}/self/status`)) {
    return {
      name,
      status: 'fails',
      found: 'not mounted',
      advice: 'mount it: it shows the running processes',
      code,
    };
  }
  return {
    name,
    status: 'limited',
    found: 'other processes are hidden',
    advice: `mount ${name} without hidepid, so that running processes are known`,
    code,
  };
}

function checkTracefs({ exists }: Machine): Check {
  const place = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'].find((path) =>
    exists(`${path}/events`),
  );
  return ok('tracefs', place ?? 'not mounted, not needed');
}

function checkMemlock({ read, kernel }: Machine): Check {
  const name = 'locked memory';
  let limit = 'unknown';
  try {
    limit = /^Max locked memory\s+(\S+)/m.exec(read('/proc/self/limits'))?.[1] ?? limit;
  } catch {
    // An unknown limit is not a problem.
  }
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  const counts = major === 5 && minor < 11;
  const found = limit === 'unlimited' || limit === 'unknown' ? limit : `${limit} bytes`;
  if (!counts) return ok(name, `${found}; this kernel does not count eBPF buffers`);
  if (limit === 'unlimited') return ok(name, found);
  return {
    name,
    status: 'limited',
    found,
    advice: 'if creating buffers fails, raise it: ulimit -l unlimited',
  };
}

function namespaceOf(link: Machine['link'], kind: keyof typeof firstNamespaces): string {
  try {
    return link(`/proc/self/ns/${kind}`);
  } catch {
    return 'unknown';
  }
}

function checkNamespace({ link }: Machine): Check {
  const name = 'pid namespace';
  const found = namespaceOf(link, 'pid');
  if (found === firstNamespaces.pid) return ok(name, "the host's");
  return {
    name,
    status: 'limited',
    found,
    advice:
      "run in the pid namespace of the host (docker run --pid=host): events have the host's process ids",
  };
}

function checkCgroups({ exists }: Machine): Check {
  const unified = exists('/sys/fs/cgroup/cgroup.controllers');
  const mixed = exists('/sys/fs/cgroup/unified/cgroup.controllers');
  return ok('cgroups', unified ? 'version 2' : mixed ? 'version 1 and 2' : 'version 1');
}

function checkRuntimes({ exists, canUse }: Machine, hostRoot: string): Check {
  const name = 'container runtimes';
  const { docker, podman, cri } = usualSockets(hostRoot);
  const there = [...docker, ...podman, ...cri].filter(exists);
  if (there.length === 0) return ok(name, 'no socket; only the ids of containers are known');
  const closed = there.filter((path) => !canUse(path));
  if (closed.length === 0) return ok(name, there.join(', '));
  return {
    name,
    status: 'limited',
    found: there.join(', '),
    advice: `names and images of containers stay unknown: no access to ${closed.join(', ')}`,
  };
}

function checkProbeLoads({ tryProbe }: Machine): Check {
  const name = 'probe';
  try {
    return ok(name, tryProbe());
  } catch (error) {
    const code = probeErrorCode(error);
    return {
      name,
      status: 'fails',
      found: error instanceof Error ? error.message : String(error),
      advice:
        code === 'ProbeAccessDenied'
          ? 'see the other checks'
          : 'report it with this text and the kernel version',
      code,
    };
  }
}

/** The error code for a live capture that does not start. */
export function probeErrorCode(error: unknown): SysFlowErrorCode {
  const { code, message } = error as { code?: unknown; message?: string };
  if (message?.includes('/proc is not mounted')) return 'ProcResourceNotFound';
  if (message?.includes('this build of sfkit has no probe')) return 'ProbeNotExist';
  return code === 'INPUT_UNREADABLE' ? 'ProbeAccessDenied' : 'ProbeNotLoaded';
}
