import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Log, openLog } from '../../src/output/log.js';
import { testDirectory } from '../helpers/directory.js';

const directory = testDirectory();
afterEach(() => vi.restoreAllMocks());

async function logged(env: Record<string, string>, debug = false): Promise<string[]> {
  let text = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  const log = openLog({ name: 'app', debug }, env);
  sayAll(log);
  await log.close();
  vi.restoreAllMocks();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `${line.charAt(0)} ${line.split('] ')[1]}`);
}

function sayAll(log: Log): void {
  log.verbose(1, 'driver', 'one');
  log.verbose(2, 'socket', 'two');
  log.info('driver', 'info');
  log.warning('driver', 'warning');
  log.error('driver', 'error');
}

describe('the log', () => {
  it('shows errors on standard error; stderrthreshold and logtostderr show more, minloglevel less', async () => {
    expect(await logged({})).toEqual(['E error']);
    expect(await logged({ GLOG_stderrthreshold: '1' })).toEqual(['W warning', 'E error']);
    expect(await logged({ GLOG_logtostderr: '1' })).toEqual(['I info', 'W warning', 'E error']);
    expect(await logged({ GLOG_logtostderr: '1', GLOG_minloglevel: '1' })).toEqual([
      'W warning',
      'E error',
    ]);
    expect(await logged({}, true)).toEqual(['I one', 'I two', 'I info', 'W warning', 'E error']);
  });

  it.each(['1', 'true', 'TRUE', 'yes', 'Yes'])('GLOG_logtostderr=%s switches on', async (text) => {
    expect(await logged({ GLOG_logtostderr: text })).toEqual(['I info', 'W warning', 'E error']);
  });

  it.each(['0', 'false', 'False', 'no', 'NO'])('GLOG_logtostderr=%s switches off', async (text) => {
    const env = { GLOG_logtostderr: text, GLOG_stderrthreshold: '1' };
    expect(await logged(env)).toEqual(['W warning', 'E error']);
  });

  it.each(['', 'on', '2', 'tru'])(
    'GLOG_logtostderr=%j counts as off and is reported',
    async (text) => {
      expect(await logged({ GLOG_logtostderr: text, GLOG_stderrthreshold: '1' })).toEqual([
        `W GLOG_logtostderr='${text}': expected 1, true, yes, 0, false or no; it counts as off`,
        'W warning',
        'E error',
      ]);
    },
  );

  it('shows verbose messages up to GLOG_v, or GLOG_vmodule per module', async () => {
    const verbose = async (env: Record<string, string>) =>
      (await logged({ GLOG_logtostderr: '1', ...env })).filter((line) => /one|two/.test(line));
    expect(await verbose({ GLOG_v: '1' })).toEqual(['I one']);
    expect(await verbose({ GLOG_v: '2' })).toEqual(['I one', 'I two']);
    expect(await verbose({ GLOG_vmodule: 'sock*=2' })).toEqual(['I two']);
    expect(await verbose({ GLOG_v: '2', GLOG_vmodule: 'driver=0' })).toEqual(['I two']);
  });

  it('goes to files of each severity with GLOG_log_dir', async () => {
    expect(await logged({ GLOG_log_dir: directory.path() })).toEqual(['E error']);
    expect(readdirSync(directory.path()).sort()).toEqual(['app.ERROR', 'app.INFO', 'app.WARNING']);
    const lines = (name: string) =>
      readFileSync(directory.path(name), 'utf8').trim().split('\n').length;
    expect([lines('app.INFO'), lines('app.WARNING'), lines('app.ERROR')]).toEqual([3, 2, 1]);
    await logged({ GLOG_log_dir: directory.path('none'), GLOG_logtostderr: '1' });
    expect(existsSync(directory.path('none'))).toBe(false);
  });

  it('escapes terminal control characters', async () => {
    let text = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    });
    const log = openLog({ name: 'app', debug: false }, {});
    log.error('driver', '/tmp/\x1b[31m');
    await log.close();
    expect(text).not.toContain('\x1b');
  });
});
