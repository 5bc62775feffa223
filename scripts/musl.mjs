// Builds the C++ library for musl with zig's compiler, and installs it beside the headers:
// PREFIX/lib/musl has libsysflow.a, libsfkit_engine.a and libz.a. Needs CMake and python3
// with venv; pip gets ziglang and zlib-ng, whose sources become zlib. What exists is reused.
// Usage: node scripts/musl.mjs [--prefix DIRECTORY] [--quick]
// --quick leaves out optimization: for tests.
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fail, root, run, say, succeeds } from './lib/run.mjs';
import { installWithApt } from './lib/system.mjs';

/** Several sources at a time, as most of the time goes into reading the same headers. */
const quickSettings = ['-DCMAKE_CXX_FLAGS_RELEASE=-O0 -fno-sanitize=undefined', '-DSFKIT_UNITY=ON'];

const packages = { zig: 'ziglang==0.17.1', zlib: 'zlib-ng==1.1.0' };
const work = join(root, 'native', 'build', 'musl');
const python = join(work, 'venv', 'bin', 'python');

const { values } = parseArgs({
  options: { prefix: { type: 'string' }, quick: { type: 'boolean', default: false } },
});
const prefix = resolve(values.prefix ?? join(work, 'prefix'));

if (process.platform !== 'linux' || process.arch !== 'x64')
  fail('the build for musl needs Linux on x86-64');
mkdirSync(work, { recursive: true });
getZig();
const zlib = buildZlib();
buildEngine(zlib);

function getZig() {
  if (!succeeds('python3', ['-c', 'import venv, ensurepip'])) installWithApt(['python3-venv']);
  if (!existsSync(python)) run('python3', ['-m', 'venv', join(work, 'venv')]);
  if (succeeds(python, ['-m', 'ziglang', 'version'])) return;
  say(`getting ${packages.zig}`);
  run(python, ['-m', 'pip', 'install', '--quiet', packages.zig]);
}

/** Returns the directory in which zlib is installed. */
function buildZlib() {
  const installed = join(work, 'zlib');
  if (existsSync(join(installed, 'lib', 'libz.a'))) return installed;
  say(`getting ${packages.zlib}`);
  const sources = join(work, 'zlib-sources');
  const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--no-binary', ':all:'];
  run(python, [...download, '--dest', sources, packages.zlib]);
  const archive = readdirSync(sources).find((name) => name.endsWith('.tar.gz'));
  run('tar', ['-xzf', archive, '--strip-components=1'], { cwd: sources });
  build(join(sources, 'src', 'zlib_ng', 'zlib-ng'), join(work, 'zlib-build'), [
    ...['-DZLIB_COMPAT=ON', '-DZLIB_ENABLE_TESTS=OFF', '-DWITH_GTEST=OFF', '-DWITH_OPTIM=OFF'],
    ...['-DBUILD_SHARED_LIBS=OFF', `-DCMAKE_INSTALL_PREFIX=${installed}`],
  ]);
  run('cmake', ['--install', join(work, 'zlib-build')]);
  return installed;
}

function buildEngine(zlib) {
  const directory = join(work, 'engine');
  say('building the engine for musl');
  build(join(root, 'native'), directory, [
    ...[`-DZLIB_ROOT=${zlib}`, '-DSFKIT_ADDON=OFF', '-DCMAKE_INSTALL_LIBDIR=lib/musl'],
  ]);
  run('cmake', ['--install', directory, '--component', 'engine', '--prefix', prefix]);
  cpSync(join(zlib, 'lib', 'libz.a'), join(prefix, 'lib', 'musl', 'libz.a'));
  say(`installed in ${prefix}`);
}

function build(source, directory, settings) {
  const toolchain = join(root, 'native', 'cmake', 'musl.cmake');
  const shared = [
    '--toolchain',
    toolchain,
    `-DSFKIT_PYTHON=${python}`,
    '-DCMAKE_BUILD_TYPE=Release',
    ...(values.quick ? quickSettings : []),
  ];
  const generator = succeeds('ninja', ['--version']) ? ['-G', 'Ninja'] : [];
  run('cmake', ['-S', source, '-B', directory, ...generator, ...shared, ...settings]);
  run('cmake', ['--build', directory, '--parallel', `${availableParallelism()}`]);
}
