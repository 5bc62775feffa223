// Runs before npm packs the package: builds everything and copies the engine to prebuilds/.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { builtAddon } from './lib/native.mjs';
import { prebuiltHere } from './lib/prebuilt.mjs';
import { root } from './lib/run.mjs';
import { setUp } from './setup.mjs';

setUp({ tests: false });
mkdirSync(dirname(prebuiltHere()), { recursive: true });
copyFileSync(builtAddon, prebuiltHere());
// Users who rebuild the engine then need no compiler for the probe.
const probe = join(root, 'native', 'build', 'probe.gen.cpp');
if (existsSync(probe)) copyFileSync(probe, join(root, 'native', 'probe', 'prebuilt.gen.cpp'));
