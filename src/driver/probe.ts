import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../engine/config.js';
import { SysFlowError, type SysFlowErrorCode } from '../engine/sysflow-errors.js';
import { examine, type Machine, thisMachine } from '../live/doctor.js';
import type { DriverType } from './config.js';

/** Reads a file, like readFileSync of node:fs. */
export type ReadFile = (path: string) => Buffer;

const codes: Record<string, [SysFlowErrorCode, string]> = {
  EACCES: ['ProbeAccessDenied', 'permission denied; run as a user who can read it'],
  EPERM: ['ProbeAccessDenied', 'not permitted; run as a user who can read it'],
  ENOENT: ['ProbeNotExist', 'no such file; set FALCO_BPF_PROBE to its path'],
  EIO: ['ErrorReadingFileSystem', 'the file system is unreadable'],
  ENAMETOOLONG: ['NameTooLong', 'the name is too long'],
  ENOTDIR: ['ProbeCheckError', 'a part of the path is a file and not a directory'],
};

/** The section with a probe's version. */
const versionSection = 'api_version';

/**
 * Checks the requirements of a driver, as the collector does before a capture. Throws a
 * SysFlowError with the code of the missing requirement.
 */
export function checkProbe(
  driver: DriverType,
  env: Environment,
  readFile: ReadFile = readFileSync,
  machine: Machine = thisMachine,
): void {
  if (driver === 'CORE_EBPF') checkMachine(machine);
  if (driver === 'EBPF') checkObject(probePath(env), readFile);
  if (driver === 'KMOD') checkModule(readFile);
}

function checkMachine(machine: Machine): void {
  const failed = examine(machine).find(({ status }) => status === 'fails');
  if (failed === undefined) return;
  const { name, found, advice, code = 'ProbeCheckError' } = failed;
  throw new SysFlowError(code, `${name}: ${found}; ${advice}`);
}

function probePath(env: Environment): string {
  // An empty value means the default path of other tools.
  return env.FALCO_BPF_PROBE || join(env.HOME ?? '/root', '.falco', 'falco-bpf.o');
}

function checkObject(path: string, readFile: ReadFile): void {
  let content: Buffer;
  try {
    content = readFile(path);
  } catch (error) {
    const [code, reason] = codes[(error as NodeJS.ErrnoException).code ?? ''] ?? [
      'ProbeCheckError',
      String(error),
    ];
    throw new SysFlowError(code, `${path}: unusable eBPF probe: ${reason}`, { cause: error });
  }
  const isElf = content.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'));
  if (isElf && content.includes(versionSection)) return;
  const found = isElf
    ? `an object file without an ${versionSection} section`
    : 'another kind of file';
  throw new SysFlowError('DriverLibsMismatch', `${path}: expected an eBPF probe, found ${found}`);
}

function checkModule(readFile: ReadFile): void {
  const path = '/proc/modules';
  let modules: string;
  try {
    modules = readFile(path).toString();
  } catch (error) {
    throw new SysFlowError(
      'ProcResourceNotFound',
      `${path}: unreadable, so the kernel module cannot be found`,
      {
        cause: error,
      },
    );
  }
  if (/^falco /m.test(modules)) return;
  throw new SysFlowError(
    'ProbeNotLoaded',
    `${path}: the kernel module falco is not loaded; load it with modprobe falco`,
  );
}
