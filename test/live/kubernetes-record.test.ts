import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SysFlowDriver } from '../../src/driver/driver.js';
import { root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import {
  KubernetesStub,
  makeCertificates,
  paths,
  podObject,
  serviceObject,
} from '../helpers/kubernetes-stub.js';
import { liveTitle, noLive, testProgram } from '../helpers/live.js';
import { startLive } from '../helpers/live-run.js';
import { readSf, type SfRecord } from '../helpers/sf.js';
import { until } from '../helpers/until.js';

const directory = testDirectory();
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const container = 'abcdef012345'.padEnd(64, '5');

async function stub() {
  mkdirSync(directory.path('tls'));
  const files = makeCertificates(directory.path('tls'));
  const api = new KubernetesStub(files);
  api.put(paths.services, serviceObject('s1'));
  api.put(paths.pods, podObject('p1', { container }));
  ends.push(() => api.close());
  return { api, url: await api.listen(), ca: files.ca };
}

/** A control group whose processes are in the container; undefined if none can be made. */
function containerGroup(): string | undefined {
  const place = `/sys/fs/cgroup/pids/kubepods/cri-containerd-${container}.scope`;
  try {
    mkdirSync(place, { recursive: true });
  } catch {
    return undefined;
  }
  ends.push(() => rmdirSync(place));
  return place;
}

/** Changes the pod of the stub as soon as the file has it, and waits until it has the change. */
async function changePod(api: KubernetesStub, group: string | undefined, file: string) {
  const recorded = (text: string) => () =>
    existsSync(file) && readFileSync(file, 'latin1').includes(text);
  await until(recorded('web-p1'));
  if (group !== undefined)
    execFileSync('/bin/sh', ['-c', `echo $$ > ${group}/cgroup.procs; /bin/true`]);
  api.put(paths.pods, podObject('p1', { container, restarts: 1 }));
  await until(recorded('MODIFIED'));
}

/** Records of a recording. */
async function converted(recording: string): Promise<SfRecord[]> {
  const again = directory.path('again.sf');
  const args = [join(root, 'bin/run.js'), 'convert', recording, '-o', again];
  expect(spawnSync(process.execPath, args).status).toBe(0);
  return readSf(again);
}

function expectChanges(records: SfRecord[]): void {
  const events = records.filter(({ type }) => type === 'K8sEvent');
  expect(events.map(({ fields: { kind, action } }) => [kind, action])).toEqual([
    ['K8S_SERVICES', 'K8S_COMPONENT_ADDED'],
    ['K8S_PODS', 'K8S_COMPONENT_ADDED'],
    ['K8S_PODS', 'K8S_COMPONENT_MODIFIED'],
  ]);
}

/** Records without the name of the file. */
const comparable = (records: SfRecord[]) => records.filter(({ type }) => type !== 'SFHeader');

describe.skipIf(noLive !== undefined)(liveTitle('a live capture with a Kubernetes API'), () => {
  it('has pods and events, and its recording gives the same records', async () => {
    const { api, url, ca } = await stub();
    const group = containerGroup();
    const [output, recording] = [directory.path('k.sf'), directory.path('k.scap')];
    const live = startLive([
      'live',
      ...['-o', output, '--write', recording],
      ...['--k8s-api', url, '--k8s-cert', ca, '--k8s-node', 'node7'],
    ]);
    await live.capturing;
    await changePod(api, group, `${recording}.part`);
    const { exit, stderr } = await live.end('SIGINT');
    expect([exit, stderr]).toEqual([0, expect.not.stringContaining('Kubernetes')]);
    const records = await readSf(output);
    expect(comparable(await converted(recording))).toEqual(comparable(records));
    expectChanges(records);
    if (group === undefined) return;
    const pods = records.filter(({ type }) => type === 'Pod');
    // The change may come before the first use of the pod.
    const [last, ...before] = pods
      .map(({ fields: { id, restartCount } }) => [id, restartCount])
      .reverse();
    expect(last).toEqual(['p1', 1n]);
    expect(before.every(([id, restarts]) => id === 'p1' && restarts === 0n)).toBe(true);
  });

  it('works from a C++ program, and its recording gives the same events', async () => {
    const { api, url, ca } = await stub();
    const group = containerGroup();
    const [output, recording] = [directory.path('cpp.sf'), directory.path('cpp.scap')];
    const { NODE_NAME: _, ...env } = process.env;
    const program = spawn(
      testProgram('sfkit_driver_trial'),
      ['live', `output=${output}`, `record=${recording}`],
      {
        env: { ...env, NODE_NAME: 'node7', SF_K8S_API_URL: url, SF_K8S_API_CERT: ca },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    ends.push(() => program.kill('SIGKILL'));
    let stderr = '';
    program.stderr.on('data', (text) => {
      stderr += text;
    });
    const ended = new Promise((resolve) => program.on('exit', resolve));
    await changePod(api, group, recording);
    program.kill('SIGTERM');
    expect([await ended, stderr]).toEqual([0, '']);
    const records = await readSf(output);
    // After exit() the recording still gets the last events, the records do not.
    const ofCluster = (all: typeof records) =>
      comparable(all.filter(({ type }) => type === 'K8sEvent'));
    expect(ofCluster(await converted(recording))).toEqual(ofCluster(records));
    expectChanges(records);
    if (group === undefined) return;
    const pods = records.filter(({ type }) => type === 'Pod').map(({ fields: { id } }) => id);
    expect(new Set(pods)).toEqual(new Set(['p1']));
  });

  it('works from a program, whose callback gets no events of the cluster', async () => {
    const { api, url, ca } = await stub();
    const filePath = directory.path('driver.sf');
    const types = new Set<string>();
    const driver = new SysFlowDriver(
      {
        filePath,
        k8sAPIURL: url,
        k8sAPICert: ca,
        callback: (_header, _container, _process, _file1, _file2, record) => {
          types.add(record.type);
        },
      },
      { NODE_NAME: 'node7' },
    );
    const ended = driver.run();
    await until(() => api.watches === 3);
    await until(() => {
      execFileSync('/bin/true');
      return types.has('ProcessEvent');
    });
    driver.exit();
    const { records } = await ended;
    expect(records.K8sEvent).toBe(2n);
    expect(types).not.toContain('K8sEvent');
  });
});
