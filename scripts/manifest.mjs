// Writes oclif.manifest.json, which lets a command start without loading the others, and
// dist/commands.json, from which `sfkit --help` prints the list of commands.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Config, Help, Plugin } from '@oclif/core';
import { root } from './lib/run.mjs';

const path = join(root, 'oclif.manifest.json');
rmSync(path, { force: true });
const plugin = new Plugin({
  root,
  ignoreManifest: true,
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
});
await plugin.load();
writeFileSync(path, `${JSON.stringify(plugin.manifest, null, 2)}\n`);

const config = await Config.load({ root, userPlugins: false });
const help = new Help(config);
const facts = {
  description: config.pjson.description,
  program: `${config.name}/${config.version}`,
  commands: help.sortedCommands.map((command) => ({
    id: command.id,
    summary: help.summary(command),
  })),
};
writeFileSync(join(root, 'dist', 'commands.json'), JSON.stringify(facts));
