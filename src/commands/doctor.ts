import { Command, Flags } from '@oclif/core';
import { exitCodes } from '../cli/report.js';
import { escapeForTerminal } from '../engine/escape.js';
import { jsonDocument } from '../export/values.js';
import { type Check, examine } from '../live/doctor.js';

const marks: Readonly<Record<Check['status'], string>> = { ok: 'ok     ', limited: 'limited', fails: 'FAILS  ' };

export default class Doctor extends Command {
  static override summary = 'Tell whether live capture works on this machine, and what to do if not.';

  static override description =
    `Looks at the kernel, its types (BTF), the capabilities of this process, lockdown, /proc, tracefs, the limit of locked
memory, namespaces, cgroups and the sockets of container runtimes, and loads the probe and lets it go again.

Exit code: 0 live capture works, 1 it does not, 2 wrong usage.`;

  static override examples = [
    { description: 'Every check with what was found', command: '<%= config.bin %> doctor' },
    { description: 'For a program', command: '<%= config.bin %> doctor --json' },
  ];

  static override flags = { json: Flags.boolean({ description: 'print the checks as JSON' }) };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const checks = examine();
    const works = checks.every(({ status }) => status !== 'fails');
    if (flags.json) process.stdout.write(jsonDocument({ liveCapture: works, checks }));
    else {
      for (const { name, status, found, advice } of checks) {
        process.stdout.write(`${marks[status]}  ${name}: ${escapeForTerminal(found)}\n`);
        if (advice !== '') process.stdout.write(`         ${escapeForTerminal(advice)}\n`);
      }
      process.stdout.write(works ? 'Live capture works here.\n' : 'Live capture does not work here.\n');
    }
    if (!works) this.exit(exitCodes.failed);
  }
}
