// Formats the code: Biome, and clang-format for C++.
// Usage: node scripts/format.mjs
import { join } from 'node:path';
import { cppFiles, toolFor } from './lib/lint-tools.mjs';
import { root, run } from './lib/run.mjs';

run(join(root, 'node_modules', '.bin', 'biome'), ['check', '--write', '.']);
const clangFormat = toolFor('format');
if (clangFormat !== undefined) run(clangFormat, ['-i', ...cppFiles()]);
