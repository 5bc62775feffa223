import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SysFlowDriver } from '../../src/driver/driver.js';
import { capturesIn, fixtures, root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import { programSources, succeed } from '../helpers/libsysflow.js';

const directory = testDirectory();
const built = join(root, 'native/build/musl');
const prefix = join(built, 'prefix');
const isBuilt = existsSync(join(prefix, 'lib/musl/libsysflow.a'));

describe.skipIf(!isBuilt)(
  `programs for libSysFlow, for musl${isBuilt ? '' : ' (skipped: not built; run node scripts/musl.mjs)'}`,
  () => {
    it('the Makefile builds them with MUSL=1, and they count what Node counts', async () => {
      const folder = directory.path('example');
      cpSync(join(prefix, 'share/doc/sfkit/examples/libsysflow'), folder, { recursive: true });
      cpSync(join(programSources, 'count.cpp'), join(folder, 'count.cpp'));
      const python = join(built, 'venv/bin/python');
      succeed('make', ['-C', folder, `PREFIX=${prefix}`, 'MUSL=1', `PYTHON=${python}`]);
      const program = readFileSync(join(folder, 'count'));
      expect(program.includes('ld-linux')).toBe(false);

      const captures = capturesIn(fixtures);
      expect(captures.length).toBeGreaterThan(3);
      for (const scapInputPath of captures) {
        const { stdout } = spawnSync(join(folder, 'count'), [scapInputPath], {
          encoding: 'utf8',
          env: {},
        });
        const { code, containers, files, ...counts } = JSON.parse(stdout);
        const wanted: Record<string, number> = {};
        await new SysFlowDriver(
          {
            scapInputPath,
            callback(_header, _container, _process, _file1, _file2, record) {
              if (record.type === 'NetworkFlow' && record.family === 6) return;
              wanted[record.type] = (wanted[record.type] ?? 0) + 1;
            },
          },
          {},
        ).run();
        expect([scapInputPath, code, counts]).toEqual([scapInputPath, -1, wanted]);
      }
    });
  },
);
