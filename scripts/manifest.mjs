// Writes oclif.manifest.json, which lets a command start without loading the others.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Plugin } from '@oclif/core';
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
