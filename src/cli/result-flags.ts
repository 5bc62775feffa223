import * as Flags from '@oclif/core/flags';

/** The flags -f and -o of commands that write one result. */
export function resultFlags<const Format extends string>(
  formats: readonly Format[],
  usual: NoInfer<Format>,
) {
  return {
    format: Flags.option({ options: formats })({
      char: 'f',
      helpValue: formats.join('|'),
      default: usual,
      description: 'output format',
    }),
    output: Flags.string({
      char: 'o',
      helpValue: 'FILE',
      default: '-',
      description: 'file to write, or - for standard output',
    }),
  };
}
