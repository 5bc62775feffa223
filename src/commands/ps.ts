import { StateCommand } from '../cli/state-command.js';

export default class Ps extends StateCommand {
  static override summary = 'Show the processes of a capture at a moment.';

  static override description =
    `Lists every process that was alive at the moment, also processes that are older than the capture.

Exit code: 0 done, 1 failed, 2 usage error, 3 a capture is damaged; the answer covers everything readable.`;

  static override examples = [
    { description: 'At the end of the capture', command: '<%= config.bin %> ps capture.scap' },
    {
      description: 'When the capture started',
      command: '<%= config.bin %> ps capture.scap --at start',
    },
  ];

  override readonly verb = 'ps';
}
