import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Action,
  payloads,
  type Resource,
  resources,
} from '../../src/live/kubernetes/objects.js';
import { root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import { withKubernetesEvents } from '../helpers/kubernetes-capture.js';
import { podObject, type StubObject, serviceObject } from '../helpers/kubernetes-stub.js';
import { readSf } from '../helpers/sf.js';

const directory = testDirectory();
const sfkit = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'bin/run.js'), ...args],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  expect([status, stderr.includes('error')]).toEqual([0, false]);
  return stdout;
};
const rows = (path: string, sql: string) =>
  sfkit('query', path, sql, '-f', 'jsonl')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

const container = '4be7c3a5d21f';
const event = (action: Action, kind: Resource['kind'], object: StubObject) => {
  const resource = resources.find((each) => each.kind === kind) as Resource;
  return [...payloads(action, kind, [resource.item(object)])].join();
};

const pod = podObject('u1', { restarts: 2, container: container.padEnd(64, '0') });
const events = [
  event('ADDED', 'Service', serviceObject('s1')),
  event('ADDED', 'Pod', pod),
  event('DELETED', 'Pod', podObject('u2')),
];

describe('a capture with events of the Kubernetes API', () => {
  let capture = '';
  let time = 0n;
  beforeEach(() => {
    capture = directory.path('k8s.scap');
    const made = withKubernetesEvents(join(root, 'fixtures/webserver.scap'), events);
    writeFileSync(capture, made.bytes);
    time = made.time;
  });

  it('gives Pod and K8sEvent records that another reader decodes', async () => {
    const out = directory.path('k8s.sf');
    sfkit('convert', capture, '-o', out);
    const records = await readSf(out);
    const of = (wanted: string) => records.filter(({ type }) => type === wanted);
    expect(of('Pod').map(({ fields }) => fields)).toEqual([
      {
        ts: expect.any(BigInt),
        id: 'u1',
        name: 'web-u1',
        nodeName: 'node7',
        // The bytes of the address, the first one lowest.
        hostIP: [0x0701a8c0n],
        internalIP: [0x0700000an, 0xfdn, 0x07n << 56n],
        namespace: 'shop',
        restartCount: 2n,
        labels: { app: 'web' },
        selectors: { app: 'web' },
        services: [
          {
            name: 'front-s1',
            id: 's1',
            namespace: 'shop',
            portList: [{ port: 80, targetPort: 8080, nodePort: 30080, proto: 'TCP' }],
            clusterIP: [0x0a00600an],
          },
        ],
      },
    ]);
    expect(of('Container').map(({ fields }) => [fields.id, fields.podId])).toEqual([
      [container, { string: 'u1' }],
    ]);
    expect(of('K8sEvent').map(({ fields }) => fields)).toEqual(
      (
        [
          ['K8S_SERVICES', 'K8S_COMPONENT_ADDED'],
          ['K8S_PODS', 'K8S_COMPONENT_ADDED'],
          ['K8S_PODS', 'K8S_COMPONENT_DELETED'],
        ] as const
      ).map(([kind, action], index) => ({ kind, action, ts: time, message: events[index] })),
    );
    const place = (type: string) => records.findIndex((record) => record.type === type);
    expect(place('Pod')).toBeLessThan(place('Container'));
  });

  it('joins flows with their pods, also from the .sf file', () => {
    const out = directory.path('k8s.sf');
    sfkit('convert', capture, '-o', out);
    const sql =
      'SELECT DISTINCT container_id, pod_id, pod_name, pod_ns, pod_nname, pod_rstrtcnt FROM sysflow WHERE container_id IS NOT NULL';
    for (const input of [capture, out]) {
      expect(rows(input, sql)).toEqual([
        {
          container_id: container,
          pod_id: 'u1',
          pod_name: 'web-u1',
          pod_ns: 'shop',
          pod_nname: 'node7',
          pod_rstrtcnt: 2,
        },
      ]);
      expect(rows(input, 'SELECT k8s_kind, k8s_action FROM k8s_event ORDER BY idx')).toEqual([
        { k8s_kind: 'SERVICES', k8s_action: 'ADDED' },
        { k8s_kind: 'PODS', k8s_action: 'ADDED' },
        { k8s_kind: 'PODS', k8s_action: 'DELETED' },
      ]);
    }
  });

  it('gives no pods with --compat', async () => {
    const out = directory.path('compat.sf');
    sfkit('convert', capture, '-o', out, '--compat', 'sysflow-0.7');
    const types = (await readSf(out)).map(({ type }) => type);
    expect(types).toContain('Container');
    expect(types).not.toContain('Pod');
    expect(types).not.toContain('K8sEvent');
  });
});
