import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { hostRootOf } from '../cli/collector-flags.js';
import { exitCodes } from '../cli/report.js';
import { drawn } from '../draw/drawing.js';
import { standardScreen } from '../draw/screen.js';
import type { Screen } from '../draw/types.js';
import { loadAddon } from '../engine/addon.js';
import { jsonDocument } from '../export/values.js';
import { type Check, examine } from '../live/doctor.js';

const marks: Readonly<Record<Check['status'], string>> = {
  ok: 'ok',
  limited: 'limited',
  fails: 'FAILS',
};

export default class Doctor extends Command {
  static override summary =
    'Check whether live capture works on this machine, and say what to do if not.';

  static override description =
    `Checks the kernel, its types (BTF), the capabilities of this process, lockdown, /proc, tracefs, the limit of locked
memory, namespaces, cgroups and the sockets of container runtimes. Then loads and unloads the probe. Also names the
library that compresses SysFlow files.

Exit code: 0 live capture works, 1 it does not, 2 usage error.`;

  static override examples = [
    { description: 'Every check with its result', command: '<%= config.bin %> doctor' },
    { description: 'For a program', command: '<%= config.bin %> doctor --json' },
  ];

  static override flags = { json: Flags.boolean({ description: 'print the checks as JSON' }) };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const checks = examine(undefined, hostRootOf());
    const works = checks.every(({ status }) => status !== 'fails');
    const { deflateLibrary } = loadAddon();
    if (flags.json)
      process.stdout.write(jsonDocument({ liveCapture: works, checks, deflateLibrary }));
    else {
      process.stdout.write(checksText(checks, standardScreen()));
      process.stdout.write(
        works ? 'Live capture works here.\n' : 'Live capture does not work here.\n',
      );
      process.stdout.write(`This engine compresses SysFlow files with ${deflateLibrary}.\n`);
    }
    if (!works) this.exit(exitCodes.failed);
  }
}

/** One row per check; advice is below the result. */
export function checksText(checks: readonly Check[], screen: Screen | undefined): string {
  const rows = checks.flatMap(({ name, status, found, advice }) => [
    [marks[status], name, found],
    ...(advice === '' ? [] : [['', '', advice]]),
  ]);
  return drawn(
    [{ name: 'result' }, { name: 'check' }, { name: 'found, and what to do', long: 'wrap' }],
    rows,
    screen,
  );
}
