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
// The engine may contain libdeflate, whose license asks for its notice in every copy.
const notice = '/usr/share/doc/libdeflate-dev/copyright';
if (existsSync(notice)) copyFileSync(notice, join(dirname(prebuiltHere()), 'LICENSE.libdeflate'));
// Users who rebuild the engine then need no compiler for the probe.
const probe = join(root, 'native', 'build', 'probe.gen.cpp');
if (existsSync(probe)) copyFileSync(probe, join(root, 'native', 'probe', 'prebuilt.gen.cpp'));
