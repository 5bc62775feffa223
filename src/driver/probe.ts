import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** What the checks look at, and where; tests replace it. */
export interface ProbeSurroundings {
  /** File of an eBPF probe. Default: the path of other tools. */
  bpfProbe?: string | undefined;
  /** Directory with the files of the host. Default: the own root directory. */
  hostRoot?: string | undefined;
  home?: string | undefined;
  readFile?: ReadFile | undefined;
  machine?: Machine | undefined;
}

/**
 * Checks what a live capture needs. sfkit captures with its own probe, whatever `driver` is. But a
 * probe file that the user names must be usable, and if sfkit's probe cannot work, the error is
 * about `driver`. Throws a SysFlowError with the code of the missing requirement.
 */
export function checkProbe(driver: DriverType, around: ProbeSurroundings = {}): void {
  const { bpfProbe, hostRoot, home = '/root', readFile = readFileSync, machine } = around;
  if (driver === 'EBPF' && bpfProbe !== undefined) checkObject(bpfProbe, readFile);
  const failed = examine(machine ?? thisMachine, hostRoot).find(({ status }) => status === 'fails');
  if (failed === undefined) return;
  if (driver === 'EBPF') checkObject(bpfProbe ?? join(home, '.falco', 'falco-bpf.o'), readFile);
  if (driver === 'KMOD') checkModule(readFile);
  const { name, found, advice, code = 'ProbeCheckError' } = failed;
  throw new SysFlowError(code, `${name}: ${found}; ${advice}`);
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
