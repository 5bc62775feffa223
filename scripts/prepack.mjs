// Before the package is made: builds everything and puts the engine where installations look for it.
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { builtAddon } from './lib/native.mjs';
import { prebuiltHere } from './lib/prebuilt.mjs';
import { setUp } from './setup.mjs';

setUp({ tests: false });
mkdirSync(dirname(prebuiltHere()), { recursive: true });
copyFileSync(builtAddon, prebuiltHere());
