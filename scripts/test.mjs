// Sets everything up and runs every test: TypeScript, C++, then complete commands. Prints the
// failures at the end, and one line with the totals. With SFKIT_STRICT=1, as in CI, a skipped test
// must give its reason in its name. Usage: node scripts/test.mjs
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCppTests } from './lib/cpp-tests.mjs';
import { isStrict, root } from './lib/run.mjs';
import { setUp } from './setup.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'sfkit-test-'));
const totals = { passed: 0, failed: 0, skipped: 0 };
/** Failures, repeated at the end, where they are easy to find. */
const failures = [];
/** Maximum lines of a repeated failure. */
const maxFailureLines = 25;

try {
  setUp({ tests: true });
  const wholeCommands = ['test/golden', 'test/conformance', 'test/commands', 'test/package'];
  count(vitest('unit', ['--exclude', 'test/{golden,conformance,commands,package}/**']));
  count(await native());
  count(vitest('commands', wholeCommands));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

for (const { name, message } of failures) {
  console.log(`failed: ${name}\n${message.split('\n').slice(0, maxFailureLines).join('\n')}\n`);
}
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
console.log(`${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exitCode = totals.failed > 0 ? 1 : 0;

function count(result) {
  for (const key of Object.keys(totals)) totals[key] += result[key];
}

function vitest(name, args) {
  const report = join(scratch, `${name}.json`);
  const cli = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { status } = spawnSync(process.execPath, [cli, 'run', ...reporters, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  for (const file of testResults) {
    if (file.status === 'failed' && file.message)
      failures.push({ name: file.name, message: file.message });
    const skips = file.assertionResults.filter(
      ({ status }) => status === 'skipped' || status === 'pending',
    );
    if (isStrict) refuseSilentSkips(file.name, skips);
    for (const test of file.assertionResults.filter(({ status }) => status === 'failed')) {
      failures.push({
        name: `${file.name}: ${test.fullName}`,
        message: test.failureMessages.join('\n'),
      });
    }
  }
  // A test file that does not load fails without a failed test.
  const failed = status === 0 ? 0 : Math.max(1, numFailedTests);
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}

/** Names with "(skipped: REASON)" or "(needs WHAT)" show what was not tested, and why. */
function refuseSilentSkips(file, skips) {
  for (const { fullName } of skips.filter(
    ({ fullName }) => !/\((skipped: |needs )/.test(fullName),
  )) {
    failures.push({
      name: `${file}: ${fullName}`,
      message: 'it is skipped, and its name gives no reason',
    });
    totals.failed += 1;
  }
}

async function native() {
  const binary = ['Release', '.']
    .map((folder) => join(root, 'native', 'build', folder, 'sfkit_tests'))
    .find(existsSync);
  if (binary === undefined) {
    console.log('C++ tests: not built');
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const { tests, isOk } = await runCppTests(binary, scratch);
  const failing = tests.filter((test) => test.failures !== undefined);
  for (const { classname, name, failures: found } of failing) {
    failures.push({
      name: `${classname}.${name}`,
      message: found.map(({ failure }) => failure).join('\n'),
    });
  }
  const failed = failing.length;
  const skipped = tests.filter(
    (test) => test.result === 'SKIPPED' || test.status === 'NOTRUN',
  ).length;
  return {
    passed: tests.length - failed - skipped,
    failed: isOk ? failed : Math.max(1, failed),
    skipped,
  };
}
