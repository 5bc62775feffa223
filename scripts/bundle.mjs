// Joins the modules of the command line into few files, because Node takes longer to find and load
// many: the compiled files that it starts with, and the packages that most commands need. Replaces
// the entries below dist/ (the library keeps its own files) and writes the shared parts to
// dist/chunks/. Run after the TypeScript compiler, which restores the entries.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './lib/run.mjs';

const dist = join(root, 'dist');

/** Files that bin/run.js or oclif load by their paths. */
const entries = [
  'cli/main.js',
  'cli/unknown-command.js',
  ...readdirSync(join(dist, 'commands'))
    .filter((name) => name.endsWith('.js'))
    .map((name) => `commands/${name}`),
];

/** Packages that stay in node_modules: native addons, what few commands need, a developer's tool. */
const external = [
  /^@duckdb\/node-bindings/,
  /^@grpc\//,
  /^apache-arrow$/,
  /^avsc$/,
  /^typescript$/,
  /^winston$/,
];

/** Keeps paths that are relative to a module right in the file that it becomes a part of. */
const modulePaths = {
  name: 'module-paths',
  transform(code, id) {
    if (!id.startsWith(dist + sep) || !code.includes('import.meta.url')) return null;
    // Every file is in a directory of dist/.
    const path = JSON.stringify(`../${relative(dist, id).replaceAll(sep, '/')}`);
    return code
      .replace(/createRequire\(import\.meta\.url\)\('([^']+)'\)/g, "require('$1')")
      .replaceAll('import.meta.url', `new URL(${path}, import.meta.url).href`);
  },
};

const bundle = await rolldown({
  input: Object.fromEntries(entries.map((path) => [path.replace(/\.js$/, ''), join(dist, path)])),
  platform: 'node',
  external,
  plugins: [modulePaths],
  onLog: (level, log, report) => {
    // Some modules are imported by a command when it starts and by another when it needs them.
    if (log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') report(level, log);
  },
});
const { output } = await bundle.write({
  dir: dist,
  chunkFileNames: 'chunks/[name].js',
  // Stack traces name the functions.
  minify: false,
});
await bundle.close();
writeFileSync(join(dist, 'chunks', 'LICENSES.txt'), licenses(output));

/** The licenses of the packages in the bundle, which demand that copies carry them. */
function licenses(files) {
  const packages = new Set(
    files
      .flatMap(({ moduleIds = [] }) => moduleIds)
      .map((id) => /^(?:.*[\\/])?node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0])
      .filter((path) => path !== undefined),
  );
  return [...packages].sort().map(licenseOf).join('\n');
}

function licenseOf(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json')));
  const text = readdirSync(directory)
    .filter((file) => /^licen[cs]e/i.test(file))
    .map((file) => readFileSync(join(directory, file), 'utf8').trim());
  return `${name} ${version} (${license})\n\n${text.join('\n\n')}\n`;
}
