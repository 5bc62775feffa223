import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root, run, say, succeeds } from './run.mjs';

/**
 * Installs missing packages for the native build with apt-get, or names them and how to install
 * them.
 */
export function ensureSystemPackages({ tests }) {
  let missing = missingParts(tests);
  if (missing.length === 0) return;
  const install = aptInstall(missing);
  if (install) {
    say(`installing system packages: ${missing.map((part) => part.apt).join(' ')}`);
    install();
    missing = missingParts(tests);
  }
  report(missing);
}

/** Names the missing packages for the native build and how to install them; installs nothing. */
export function requireSystemPackages({ tests }) {
  report(missingParts(tests));
}

/** Reports missing parts; ends the script if a required one is missing. */
function report(missing) {
  const needed = missing.filter((part) => !part.optional);
  if (needed.length > 0) fail(advice(needed));
  for (const part of missing) say(`without ${part.what}: ${part.optional}`);
}

/** Returns the clang that can build fuzzers; installs it with apt-get if possible. */
export function ensureFuzzingTools() {
  const found = fuzzingCompiler();
  if (found) return found;
  const parts = [
    {
      what: 'clang with its fuzzing runtime',
      apt: 'clang libclang-rt-14-dev',
      dnf: 'clang compiler-rt',
      brew: 'llvm',
      apk: 'clang compiler-rt',
    },
  ];
  const install = aptInstall(parts);
  if (install) {
    say(`installing system packages: ${parts[0].apt}`);
    install();
    const installed = fuzzingCompiler();
    if (installed) return installed;
  }
  fail(advice(parts));
}

function fuzzingCompiler() {
  const code =
    '#include <stddef.h>\n#include <stdint.h>\nextern "C" int LLVMFuzzerTestOneInput(const uint8_t*, size_t) { return 0; }';
  const fuzzes = (cxx) =>
    succeeds(cxx, ['-fsanitize=fuzzer,address', '-x', 'c++', '-', '-o', '/dev/null'], code);
  const suffix = ['-14', '', '-19', '-18', '-17', '-16', '-15'].find((ending) =>
    fuzzes(`clang++${ending}`),
  );
  return suffix === undefined ? undefined : { cxx: `clang++${suffix}`, cc: `clang${suffix}` };
}

/**
 * isa-l decompresses twice as fast as zlib. It is optional, so it is only installed together with
 * required packages.
 */
const niceToHave = ['libisal-dev'];

/** Whether the compiler for the probe is missing; only live capture needs it. */
function bpfCompilerMissing() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  if (existsSync(join(root, 'native/probe/prebuilt.gen.cpp'))) return false;
  const compiles = (name) =>
    succeeds(name, ['-target', 'bpf', '-c', '-x', 'c', '-', '-o', '/dev/null'], 'int one = 1;');
  return !['clang-14', 'clang', 'clang-19', 'clang-18', 'clang-17', 'clang-16', 'clang-15'].some(
    compiles,
  );
}

function missingParts(tests) {
  const compiler = ['c++', 'g++', 'clang++'].find((name) => succeeds(name, ['--version']));
  const compiles = (code) =>
    succeeds(
      process.env.CXX ?? compiler ?? 'c++',
      ['-std=c++20', '-fsyntax-only', '-x', 'c++', '-'],
      code,
    );
  const hasCompiler = compiles(
    '#include <span>\n#include <bit>\nint main() { return std::popcount(0u); }',
  );
  const parts = [
    {
      found: succeeds('cmake', ['--version']),
      what: 'CMake',
      apt: 'cmake',
      dnf: 'cmake',
      brew: 'cmake',
      apk: 'cmake',
    },
    {
      found: hasCompiler,
      what: 'a C++20 compiler',
      apt: 'g++',
      dnf: 'gcc-c++',
      brew: 'llvm',
      apk: 'g++',
    },
    {
      found: succeeds('make', ['--version']) || succeeds('ninja', ['--version']),
      what: 'make or ninja',
      apt: 'make',
      dnf: 'make',
      brew: 'ninja',
      apk: 'make',
    },
    {
      // Without a compiler the check for headers fails; requesting installed packages again is
      // harmless.
      found: hasCompiler && compiles('#include <zlib.h>'),
      what: 'the zlib headers',
      apt: 'zlib1g-dev',
      dnf: 'zlib-devel zlib-static',
      brew: 'zlib',
      apk: 'zlib-dev zlib-static',
    },
  ];
  parts.push({
    found: hasCompiler && compiles('#include <libdeflate.h>'),
    what: 'libdeflate',
    optional: 'zlib compresses SysFlow files, which takes longer',
    apt: 'libdeflate-dev',
    dnf: 'libdeflate-devel',
    brew: 'libdeflate',
    apk: 'libdeflate-dev libdeflate-static',
  });
  parts.push({
    found: !bpfCompilerMissing(),
    what: 'clang, which compiles the probe for live capture',
    optional: 'sfkit live and sfkit record will not work',
    apt: 'clang',
    dnf: 'clang',
    brew: 'llvm',
    apk: 'clang',
  });
  if (tests) {
    parts.push({
      found: hasCompiler && compiles('#include <gtest/gtest.h>'),
      what: 'GoogleTest',
      apt: 'libgtest-dev',
      dnf: 'gtest-devel',
      brew: 'googletest',
      apk: 'gtest-dev',
    });
  }
  return parts.filter((part) => !part.found);
}

/** Installs packages with apt-get; returns false if it is missing or not permitted. */
export function installWithApt(packages) {
  const install = aptInstall([{ apt: packages.join(' ') }]);
  if (install === undefined) return false;
  say(`installing system packages: ${packages.join(' ')}`);
  install();
  return true;
}

/**
 * Returns a function that installs packages, or undefined if apt-get is missing or not permitted.
 */
function aptInstall(missing) {
  if (!succeeds('apt-get', ['--version'])) return undefined;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !succeeds('sudo', ['-n', 'true'])) return undefined;
  const withRights = (args) => (isRoot ? ['apt-get', ...args] : ['sudo', '-n', 'apt-get', ...args]);
  const apt = (args) => {
    const [command, ...rest] = withRights(args);
    run(command, rest, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  };
  const aptSucceeds = (args) => {
    const [command, ...rest] = withRights(args);
    return succeeds(command, rest);
  };
  const packagesOf = (parts) => parts.flatMap((part) => part.apt.split(' '));
  const needed = packagesOf(missing.filter((part) => !part.optional));
  const optional = packagesOf(missing.filter((part) => part.optional));
  const install = ['install', '-y', '-qq', '--no-install-recommends'];
  return () => {
    if (needed.length > 0) {
      apt(['update', '-qq']);
      apt([...install, ...needed]);
    } else if (!aptSucceeds(['update', '-qq'])) {
      return;
    }
    // One by one: a package that this system lacks must not keep the others away.
    for (const name of optional) aptSucceeds([...install, name]);
    if (!aptSucceeds([...install, ...niceToHave]))
      say(`${niceToHave.join(' ')} is unavailable: gzip is read with zlib`);
  };
}

function advice(missing) {
  const names = (key) => missing.map((part) => part[key]).join(' ');
  return [
    `missing: ${missing.map((part) => part.what).join(', ')}. Install with the line for your system, then run this again:`,
    `  Debian, Ubuntu   sudo apt-get install ${names('apt')}`,
    `  Fedora, RHEL     sudo dnf install ${names('dnf')}`,
    `  Alpine           sudo apk add ${names('apk')}`,
    `  macOS            xcode-select --install; brew install ${names('brew')}`,
  ].join('\n');
}
