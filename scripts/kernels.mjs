// Boots kernels in an emulated machine and tests the probe on each
// (native/test-programs/probe_trial.cpp). Usage: npm run try:kernels -- VMLINUZ...
//
// A kernel is the file boot/vmlinuz-* of a distribution's package; it needs CONFIG_DEBUG_INFO_BTF.
// Emulation takes one or two minutes per kernel. Needs qemu-system-x86_64 and, for a static
// program, the static C and C++ libraries.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTools } from './lib/native.mjs';

const kernels = process.argv.slice(2);
if (kernels.length === 0) {
  console.error(
    'name the kernels to test, for example: npm run try:kernels -- /boot/vmlinuz-6.1.0-42-amd64',
  );
  process.exit(2);
}
if (spawnSync('qemu-system-x86_64', ['--version']).error) {
  console.error(
    'qemu-system-x86_64 is not installed; on Debian it is in the package qemu-system-x86',
  );
  process.exit(1);
}

const build = buildTools('sfkit_probe_trial_alone');

const scratch = mkdtempSync(join(tmpdir(), 'sfkit-kernels-'));
let status = 0;
try {
  const image = join(scratch, 'initramfs');
  const console5 = { name: 'dev/console', mode: 0o20600, device: [5, 1] };
  const init = {
    name: 'init',
    mode: 0o100755,
    bytes: readFileSync(join(build, 'sfkit_probe_trial_alone')),
  };
  writeFileSync(image, archive([{ name: 'dev', mode: 0o40755 }, console5, init]));
  for (const kernel of kernels) {
    const { stdout, error } = spawnSync(
      'qemu-system-x86_64',
      [
        '-accel',
        'tcg',
        '-cpu',
        'max',
        '-smp',
        '2',
        '-m',
        '2048',
        '-nographic',
        '-no-reboot',
        '-net',
        'none',
      ]
        .concat(['-kernel', kernel, '-initrd', image])
        .concat(['-append', 'console=ttyS0 quiet panic=-1 mitigations=off']),
      { encoding: 'utf8', timeout: 600_000 },
    );
    const lines = (stdout ?? '')
      .split(/\r?\n/)
      .filter((line) => /^(ok|FAILS|all is well|something)|Linux \d/.test(line));
    console.log(
      `${kernel}\n${lines.map((line) => `  ${line.slice(Math.max(0, line.search(/Linux \d/)))}`).join('\n')}`,
    );
    if (error || !lines.includes('all is well')) status = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = status;

/** A cpio archive in "newc" format, which the kernel unpacks into its initial file system. */
function archive(entries) {
  const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
  const entry = ({ name, mode, bytes = Buffer.alloc(0), device = [0, 0] }, inode) => {
    const numbers = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, ...device, name.length + 1, 0];
    const head = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}${name}\0`;
    return Buffer.concat([padded(Buffer.from(head)), padded(bytes)]);
  };
  return Buffer.concat(
    [...entries, { name: 'TRAILER!!!', mode: 0 }].map((item, index) => entry(item, index + 1)),
  );
}
