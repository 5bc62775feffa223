// Runs when the package is installed: keeps the prebuilt engine when it loads on this machine, else builds it.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildNative } from './lib/native.mjs';
import { prebuiltCandidates } from './lib/prebuilt.mjs';
import { root } from './lib/run.mjs';
import { requireSystemPackages } from './lib/system.mjs';

// A clone is set up by scripts/setup.mjs, which builds; a package has no tsconfig.json.
const isClone = existsSync(join(root, 'tsconfig.json'));

if (!isClone && !prebuiltCandidates().some(loads)) {
  // Whoever installs a package has not asked for others of the system: what is missing is said.
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
