import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { pagerFlag } from '../cli/draw-flags.js';
import { standardOutput } from '../cli/pager.js';
import { drawn } from '../draw/drawing.js';
import { standardScreen } from '../draw/screen.js';
import { SfkitError } from '../engine/errors.js';
import { fields, fieldTypes, refusedFields } from '../engine/fields.gen.js';
import { nearest } from '../engine/nearest.js';
import { jsonDocument } from '../export/values.js';
import type { ByteSink } from '../output/sink.js';

export default class Fields extends Command {
  static override summary = 'List the event fields for filters and templates.';

  static override description =
    `The fields have the names of sysdig and Falco. A name with [] takes an argument: evt.arg.flags or evt.arg[0], proc.aname[2], proc.env[HOME]; with [?] the argument is optional. Fields marked "filter only" have several values, or no text form, so a template cannot show them.

Some fields of sysdig and Falco cannot be answered from a capture; --refused lists them with the reason.`;

  static override examples = [
    { description: 'All fields', command: '<%= config.bin %> fields' },
    { description: 'Fields of descriptors', command: '<%= config.bin %> fields fd' },
  ];

  static override args = {
    prefix: Args.string({ description: 'prefix of the names' }),
  };

  static override flags = {
    refused: Flags.boolean({
      description: 'list the fields that cannot be answered, with reasons',
    }),
    json: Flags.boolean({ description: 'print an array with one object per field' }),
    ...pagerFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Fields);
    const prefix = args.prefix ?? '';
    const sink = standardOutput(flags);
    if (flags.refused) {
      const found = refusedFields.filter(({ name }) => name.startsWith(prefix));
      await print(sink, flags.json, found, ['field', 'why it cannot be answered'], (field) => [
        field.name,
        field.reason,
      ]);
      return;
    }
    const found = fields.filter(({ name }) => name.startsWith(prefix));
    if (found.length === 0) throw new SfkitError('INVALID_ARGUMENT', nothingFound(prefix));
    await print(
      sink,
      flags.json,
      found,
      ['field', 'type', 'meaning'],
      ({ name, type, argument, filterOnly, doc }) => [
        argument === '' ? name : argument.endsWith('?') ? `${name}[?]` : `${name}[]`,
        fieldTypes[type],
        filterOnly ? `${doc} (filter only)` : doc,
      ],
    );
  }
}

async function print<Field>(
  sink: ByteSink,
  json: boolean,
  found: readonly Field[],
  head: string[],
  row: (field: Field) => string[],
): Promise<void> {
  const columns = head.map((name) => ({ name, long: 'wrap' as const }));
  await sink.write(json ? jsonDocument(found) : drawn(columns, found.map(row), standardScreen()));
  await sink.close();
}

function nothingFound(prefix: string): string {
  const refused = refusedFields.find(({ name }) => name.startsWith(prefix));
  if (refused !== undefined) return `field '${refused.name}' cannot be answered: ${refused.reason}`;
  const likely = nearest(prefix, [...fields.map(({ name }) => name), ...prefixes]);
  const advice =
    likely === undefined ? `prefixes are ${prefixes.join(', ')}` : `did you mean '${likely}'?`;
  return `no field starts with '${prefix}'; ${advice}`;
}

const prefixes = [...new Set(fields.map(({ name }) => name.slice(0, name.indexOf('.'))))];
