import { Args, Command, Flags } from '@oclif/core';
import { SfkitError } from '../engine/errors.js';
import { fields } from '../engine/fields.gen.js';
import { nearest } from '../engine/nearest.js';
import { TableText } from '../export/table-text.js';
import { jsonDocument } from '../export/values.js';

const typeNames = { i64: 'number', u64: 'number', str: 'text', bool: 'true or false' } as const;

export default class Fields extends Command {
  static override summary = 'List the fields of events that a template can ask for.';

  static override description =
    'The fields are some of those of sysdig and Falco, under the same names. Behind evt.arg and evt.rawarg stands the name or the place of a parameter, as in evt.arg.flags or evt.arg[0].';

  static override examples = [
    { description: 'All', command: '<%= config.bin %> fields' },
    { description: 'Those of descriptors', command: '<%= config.bin %> fields fd' },
  ];

  static override args = {
    prefix: Args.string({ description: 'how the names begin' }),
  };

  static override flags = {
    json: Flags.boolean({ description: 'print an array with an object for each field' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Fields);
    const prefix = args.prefix ?? '';
    const found = fields.filter(({ name }) => name.startsWith(prefix));
    if (found.length === 0) {
      const likely = nearest(prefix, [...fields.map(({ name }) => name), ...prefixes]);
      const advice = likely === undefined ? `they begin with ${prefixes.join(', ')}` : `did you mean '${likely}'?`;
      throw new SfkitError('INVALID_ARGUMENT', `no field begins with '${prefix}'; ${advice}`);
    }
    if (flags.json) {
      process.stdout.write(jsonDocument(found));
      return;
    }
    const table = new TableText(
      ['field', 'type', 'meaning'].map((name) => ({ name, right: false })),
      { maxCell: 140 },
    );
    const rows = found.map(({ name, type, argument, doc }) => [
      argument ? `${name}[]` : name,
      argument ? 'any' : typeNames[type],
      doc,
    ]);
    process.stdout.write(table.rows(rows) + table.end());
  }
}

const prefixes = [...new Set(fields.map(({ name }) => name.slice(0, name.indexOf('.'))))];
