// Runs when the package is installed: keeps the prebuilt engine if it loads on this machine, else
// builds one.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildNative } from './lib/native.mjs';
import { prebuiltCandidates } from './lib/prebuilt.mjs';
import { root } from './lib/run.mjs';
import { requireSystemPackages } from './lib/system.mjs';

// scripts/setup.mjs builds in a clone. A package has no tsconfig.json.
const isClone = existsSync(join(root, 'tsconfig.json'));

if (!isClone && !prebuiltCandidates().some(loads)) {
  // npm users did not ask for system packages: name the missing ones and install nothing.
  requireSystemPackages({ tests: false });
  buildNative({ tests: false });
}

function loads(path) {
  try {
    createRequire(import.meta.url)(path);
    return true;
  } catch {
    return false;
  }
}
