import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { root } from './run.mjs';

/**
 * Runs the C++ tests of `program` in as many processes as there are processors. `scratch` is a
 * directory for their files. Prints their output when all have ended.
 *
 * @returns their tests as GoogleTest reports them, and whether all processes succeeded
 */
export async function runCppTests(program, scratch) {
  const count = availableParallelism();
  const shards = await Promise.all(
    Array.from({ length: count }, (_, index) => runShard(program, scratch, index, count)),
  );
  return {
    tests: shards.flatMap(({ tests }) => tests),
    isOk: shards.every(({ isOk }) => isOk),
  };
}

async function runShard(program, scratch, index, count) {
  const directory = join(scratch, `cpp-${index}`);
  mkdirSync(directory, { recursive: true });
  const report = join(directory, 'report.json');
  const child = spawn(program, ['--gtest_brief=1', `--gtest_output=json:${report}`], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      GTEST_TOTAL_SHARDS: `${count}`,
      GTEST_SHARD_INDEX: `${index}`,
      // Tests of one fixture may share a file.
      TEST_TMPDIR: directory,
    },
  });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(data));
  const status = await new Promise((resolve) => {
    child.on('error', (error) => {
      output.push(Buffer.from(`${error.message}\n`));
      resolve(1);
    });
    child.on('close', resolve);
  });
  process.stdout.write(Buffer.concat(output));
  const tests = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8')).testsuites.flatMap((suite) => suite.testsuite)
    : [];
  return { tests, isOk: status === 0 && existsSync(report) };
}
