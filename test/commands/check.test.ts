import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import Check from '../../src/commands/check.js';
import { Workplace } from '../helpers/cli.js';
import { fixtures } from '../helpers/corpus.js';

const commands = (Check.examples as { command: string }[]).map(({ command }) =>
  command.replace('<%= config.bin %>', 'sfkit'),
);

describe.concurrent('the examples of sfkit check --help', () => {
  it.each(commands)('%s', async (command) => {
    const place = new Workplace();
    try {
      const link = (from: string, to: string) =>
        symlinkSync(join(fixtures, from), join(place.directory, to));
      mkdirSync(join(place.directory, 'captures'));
      for (const name of ['capture.scap', 'captures/a.scap']) link('incident.scap', name);
      link('webserver.scap', 'captures/b.scap');
      for (const name of ['rules.yaml', 'falco_rules.yaml']) link('rules/incident.yaml', name);
      link('rules', 'local.d');
      link('accepted.yaml', 'accepted.yaml');
      const { exit, stderr } = await place.run(command);
      expect(exit, stderr).toBe(/--(list|validate)/.test(command) ? 0 : 4);
    } finally {
      place.remove();
    }
  });
});
