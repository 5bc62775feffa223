import { readFileSync } from 'node:fs';
import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';

const shells = ['bash', 'zsh', 'fish'] as const;

export default class Completion extends Command {
  static override summary = 'Print a script that completes sfkit in your shell.';

  static override description =
    `The script completes commands, flags, values of flags, files, the fields of filters, and saved queries. It contains all of them, so completing starts no program; print it again after an update. Saved queries of your own are found when you complete.

Exit code: 0 done, 1 failed, 2 usage error.`;

  static override examples = [
    {
      description: 'For bash, in ~/.bashrc',
      command: 'source <(<%= config.bin %> completion bash)',
    },
    {
      description: 'For zsh, in ~/.zshrc after compinit',
      command: 'source <(<%= config.bin %> completion zsh)',
    },
    {
      description: 'For fish',
      command: '<%= config.bin %> completion fish > ~/.config/fish/completions/sfkit.fish',
    },
  ];

  static override args = {
    shell: Args.string({ required: true, options: [...shells], description: 'bash, zsh or fish' }),
  };

  override async run(): Promise<void> {
    const { args } = await this.parse(Completion);
    process.stdout.write(readFileSync(new URL(`../completion.${args.shell}`, import.meta.url)));
  }
}
