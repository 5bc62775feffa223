// Joins the modules of the command line into few files, because Node takes longer to find and load
// many: the compiled files that it starts with, and the packages that most commands need. Writes
// them to dist/bundle/ with the compiled code of V8 (src/cli/load-bundle.ts loads them), and
// replaces the entries below dist/ (the library keeps its own files). Run after the TypeScript
// compiler, which restores the entries.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { rolldown } from 'rolldown';
import { root, runNode } from './lib/run.mjs';

const dist = join(root, 'dist');
const directory = join(dist, 'bundle');

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
    // All files are in dist/bundle/.
    const path = JSON.stringify(`../${relative(dist, id).replaceAll(sep, '/')}`);
    return code
      .replace(/createRequire\(import\.meta\.url\)\('([^']+)'\)/g, "require('$1')")
      .replaceAll('import.meta.url', `new URL(${path}, import.meta.url).href`);
  },
};

/** Packages whose compiled TypeScript loads its modules when it uses them, not at the start. */
const lazy = /[\\/]node_modules[\\/](?:@oclif[\\/]core|@duckdb[\\/]node-api)[\\/]lib[\\/].*\.js$/;

const lazyRequires = {
  name: 'lazy-requires',
  transform(code, id) {
    if (!lazy.test(id)) return null;
    const names = new Set();
    const changed = code.replace(
      /^const (\w+_\d+) = ((?:__importDefault\()?require\("[^"]+"\)\)?);$/gm,
      (_, name, load) => {
        names.add(name);
        return `let ${name}_; const ${name} = () => (${name}_ ??= ${load});`;
      },
    );
    return changed.replace(/\b(\w+_\d+)\b(?=\.)/g, (name) =>
      names.has(name) ? `(${name}())` : name,
    );
  },
};

/** Scripts with compiled code cannot import; their loader gives them a function that does. */
const ownImport = {
  name: 'own-import',
  renderChunk: (code) => code.replace(/\bimport\((?!\))/g, 'importModule('),
};

const bundle = await rolldown({
  input: Object.fromEntries(entries.map((path) => [nameOf(path), join(dist, path)])),
  platform: 'node',
  external,
  plugins: [modulePaths, lazyRequires, ownImport],
  onLog: (level, log, report) => {
    // Some modules are imported by a command when it starts and by another when it needs them.
    if (log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') report(level, log);
  },
});
rmSync(directory, { recursive: true, force: true });
const { output } = await bundle.write({
  dir: directory,
  format: 'cjs',
  exports: 'named',
  // The hash keeps the compiled code of another text away.
  entryFileNames: '[name]-[hash].cjs',
  chunkFileNames: '[name]-[hash].cjs',
  // Stack traces name the functions.
  minify: false,
});
await bundle.close();
writeFileSync(join(directory, 'LICENSES.txt'), licenses(output));

const loader = join(dist, 'cli', 'load-bundle.js');
for (const path of entries) {
  const file = output.find(({ isEntry, name }) => isEntry && name === nameOf(path));
  writeEntry(join(dist, path), file);
}
runNode(join(root, 'scripts', 'lib', 'compile-bundle.mjs'), [directory]);

function nameOf(path) {
  return path.replace(/\.js$/, '').replace('/', '-');
}

/** A module with the exports of a file of the bundle. */
function writeEntry(path, { fileName, exports }) {
  const from = relative(dirname(path), loader).replaceAll(sep, '/');
  const lines = [
    `import { loadBundled } from '${from.startsWith('.') ? from : `./${from}`}';`,
    `const bundled = loadBundled('${fileName}');`,
    ...exports.map((name) =>
      name === 'default'
        ? 'export default bundled.default;'
        : `export const ${name} = bundled.${name};`,
    ),
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
}

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
