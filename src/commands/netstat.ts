import { StateCommand } from '../cli/state-command.js';

export default class Netstat extends StateCommand {
  static override summary = 'Show the network sockets of a capture at a moment.';

  static override description =
    `Lists the sockets that listened or were connected at the moment, also those that are older than the capture.

Exit code: 0 done, 1 failed, 2 usage error, 3 a capture is damaged; the answer covers everything readable.`;

  static override examples = [
    { description: 'At the end of the capture', command: '<%= config.bin %> netstat capture.scap' },
    {
      description: 'When the capture started',
      command: '<%= config.bin %> netstat capture.scap --at start',
    },
  ];

  override readonly verb = 'netstat';
}
