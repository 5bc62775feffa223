import { StateCommand } from '../cli/state-command.js';

export default class Lsof extends StateCommand {
  static override summary = 'Show the open descriptors of a capture at a moment.';

  static override description =
    `Lists files, sockets, pipes and other descriptors that were open at the moment, also those that are older than the capture.

Exit code: 0 done, 1 failed, 2 usage error, 3 a capture is damaged; the answer covers everything readable.`;

  static override examples = [
    { description: 'At the end of the capture', command: '<%= config.bin %> lsof capture.scap' },
    {
      description: 'Of one process, two seconds after the first event',
      command: '<%= config.bin %> lsof capture.scap --pid 4711 --at +2',
    },
  ];

  override readonly verb = 'lsof';
}
