import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { splitImage } from '../../src/live/runtimes/description.js';
import {
  usualSockets,
  type WatcherOptions,
  watchContainers,
} from '../../src/live/runtimes/watcher.js';
import { root } from '../helpers/corpus.js';
import { type CriAnswers, startCri } from '../helpers/cri-stub.js';
import { testDirectory } from '../helpers/directory.js';

// Stub servers implement the protocols of the runtimes on unix sockets.

const directory = testDirectory();
const full = '0123456789ab'.padEnd(64, '0');
const id = full.slice(0, 12);
const none = { docker: [], podman: [], cri: [], users: '/nowhere' };
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

type Answers = Record<string, object>;

/** A daemon that answers known paths with JSON, and others with 404. */
async function httpStub(
  answers: Answers,
  seen: string[] = [],
  path = directory.path('http.sock'),
): Promise<string> {
  const server: Server = createServer((request, response) => {
    seen.push(request.url ?? '');
    const answer = answers[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { message: 'no such container' }));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  ends.push(() => server.close());
  return path;
}

async function criStub(answers: CriAnswers): Promise<string> {
  const path = directory.path('cri.sock');
  ends.push(await startCri(path, answers));
  return path;
}

type DescribeWith = (options: WatcherOptions, cgroups?: string) => Promise<unknown>;

const inNode: DescribeWith = async (options, cgroups = '') => {
  const watcher = watchContainers({ timeout: 30, ...options });
  ends.push(() => watcher.close());
  const json = await watcher.describe({ id, cgroups });
  return json === undefined ? undefined : JSON.parse(json).container;
};

/** A program that asks like the driver for C++. */
const trial = ['.', 'Release']
  .map((folder) => join(root, 'native/build', folder, 'sfkit_runtime_trial'))
  .find((path) => existsSync(path));

const inCpp: DescribeWith = async ({ sockets = none, criPath, timeout = 30 }, cgroups = '') => {
  const args = [id, cgroups, `${timeout}`, `users=${sockets.users}`];
  const cri = criPath === undefined ? sockets.cri : [criPath];
  for (const [kind, paths] of Object.entries({ ...sockets, cri }))
    if (kind !== 'users') for (const path of paths) args.push(`${kind}=${path}`);
  const { stdout } = await promisify(execFile)(trial as string, args);
  return stdout === '' ? undefined : JSON.parse(stdout).container;
};

const implementations: [string, DescribeWith][] = [['Node', inNode]];
if (trial !== undefined) implementations.push(['C++', inCpp]);

describe.each(implementations)('in %s', (_name, describeWith) => {
  describe('a container is described by', () => {
    it('docker', async () => {
      const image = 'sha256:'.concat('f'.repeat(64));
      const socket = await httpStub({
        [`/containers/${id}/json`]: {
          Id: full,
          Name: '/web',
          Image: image,
          Created: '2026-01-02T03:04:05.678Z',
          Config: {
            Image: 'registry:5000/nginx:1.25',
            Labels: { app: 'web', long: 'x'.repeat(200) },
            User: 'www',
          },
          HostConfig: {
            Privileged: true,
            PidMode: 'host',
            NetworkMode: 'bridge',
            Memory: 1024,
            NanoCpus: 2_000_000_000,
          },
          NetworkSettings: { Networks: { bridge: { IPAddress: '172.17.0.2' } } },
          Mounts: [
            { Source: '/a', Destination: '/b', Mode: 'ro', RW: false, Propagation: 'rprivate' },
          ],
        },
        [`/images/${encodeURIComponent(image)}/json`]: {
          RepoTags: ['registry:5000/nginx:1.25'],
          RepoDigests: ['registry:5000/nginx@sha256:abc'],
        },
      });
      expect(
        await describeWith({ sockets: { ...none, docker: [socket] } }, 'pids=/docker/'),
      ).toEqual({
        id,
        full_id: full,
        type: 0,
        name: 'web',
        image: 'registry:5000/nginx:1.25',
        imageid: 'f'.repeat(64),
        imagerepo: 'registry:5000/nginx',
        imagetag: '1.25',
        imagedigest: 'sha256:abc',
        privileged: true,
        is_pod_sandbox: false,
        labels: { app: 'web' },
        created_time: 1767323045,
        host_pid: true,
        host_network: false,
        host_ipc: false,
        ip: '172.17.0.2',
        User: 'www',
        Mounts: [
          { Source: '/a', Destination: '/b', Mode: 'ro', RW: false, Propagation: 'rprivate' },
        ],
        memory_limit: 1024,
        swap_limit: 0,
        cpu_shares: 1024,
        cpu_quota: 200_000,
        cpu_period: 100_000,
      });
    });

    it('podman', async () => {
      const socket = await httpStub({
        [`/v4.0.0/libpod/containers/${id}/json`]: {
          Id: full,
          Name: 'web',
          Image: 'e'.repeat(64),
          ImageName: 'docker.io/library/alpine:latest',
          ImageDigest: 'sha256:d',
          Pod: 'pod1',
          IsInfra: false,
        },
      });
      expect(
        await describeWith({ sockets: { ...none, podman: [socket] } }, 'pids=/libpod-'),
      ).toMatchObject({
        id,
        type: 11,
        name: 'web',
        image: 'docker.io/library/alpine:latest',
        imagerepo: 'docker.io/library/alpine',
        imagetag: 'latest',
        imagedigest: 'sha256:d',
        pod_sandbox_id: 'pod1',
      });
    });

    it.each([
      [
        'containerd',
        7,
        {
          config: {
            image: { image: 'sha256:1234' },
            linux: { security_context: { privileged: true } },
          },
        },
      ],
      ['cri-o', 8, { privileged: true }],
      ['docker', 6, {}],
    ])('%s', async (name, type, info) => {
      const socket = await criStub({
        name,
        containers: {
          [full]: {
            status: {
              id: full,
              metadata: { name: 'app' },
              created_at: '1700000000000000000',
              image: { image: 'quay.io/app:2' },
              image_ref: 'quay.io/app@sha256:77',
              labels: { 'io.kubernetes.container.name': 'app' },
              mounts: [
                { container_path: '/in', host_path: '/out', readonly: true, propagation: 2 },
              ],
              resources: { linux: { memory_limit_in_bytes: '4096' } },
            },
            info: { info: JSON.stringify({ sandboxID: 'sandbox1', ...info }) },
          },
        },
        sandboxes: {
          sandbox1: {
            status: {
              id: 'sandbox1',
              metadata: { name: 'pod', uid: 'u1', namespace: 'default' },
              network: { ip: '10.0.0.7' },
              linux: { namespaces: { options: { network: 2 } } },
              labels: { tier: 'front' },
            },
          },
        },
      });
      expect(
        await describeWith({ criPath: socket, sockets: none }, 'pids=/kubepods/'),
      ).toMatchObject({
        id,
        full_id: full,
        type,
        name: 'app',
        image: 'quay.io/app:2',
        imagerepo: 'quay.io/app',
        imagetag: '2',
        imagedigest: 'sha256:77',
        privileged: type !== 6,
        labels: {
          'io.kubernetes.container.name': 'app',
          'io.kubernetes.pod.name': 'pod',
          'io.kubernetes.pod.namespace': 'default',
          'io.kubernetes.pod.uid': 'u1',
        },
        created_time: 1_700_000_000,
        ip: '10.0.0.7',
        host_network: true,
        pod_sandbox_id: 'sandbox1',
        pod_sandbox_labels: { tier: 'front' },
        Mounts: [
          { Source: '/out', Destination: '/in', Mode: '', RW: false, Propagation: 'rshared' },
        ],
        memory_limit: 4096,
      });
    });

    it('containerd, as the sandbox of a pod', async () => {
      const socket = await criStub({
        sandboxes: {
          [full]: {
            status: { id: full, metadata: { name: 'pod', uid: 'u1', namespace: 'kube-system' } },
          },
        },
      });
      expect(await describeWith({ criPath: socket, sockets: none })).toMatchObject({
        name: 'pod',
        is_pod_sandbox: true,
        image: '',
      });
    });
  });

  describe('a container stays unknown', () => {
    it('without a runtime', async () => {
      expect(
        await describeWith({ sockets: { ...none, docker: ['/nowhere'] }, timeout: 1 }),
      ).toBeUndefined();
    });

    it('if no runtime knows it after several requests', async () => {
      const seen: string[] = [];
      const socket = await httpStub({}, seen);
      expect(
        await describeWith({ sockets: { ...none, docker: [socket] }, timeout: 4 }),
      ).toBeUndefined();
      expect(seen.length).toBeGreaterThan(2);
    });

    it('if no runtime knows it at the first request and the time is 0; a known one gets its name', async () => {
      const seen: string[] = [];
      const sockets = { ...none, docker: [await httpStub({}, seen)] };
      expect(await describeWith({ sockets, timeout: 0 })).toBeUndefined();
      expect(seen).toHaveLength(1);
      const known = { [`/containers/${id}/json`]: { Id: full, Name: '/web' } };
      const other = { ...none, docker: [await httpStub(known, [], directory.path('other.sock'))] };
      expect(await describeWith({ sockets: other, timeout: 0 })).toMatchObject({ name: 'web' });
    });

    it('if the runtime never answers', async () => {
      const path = directory.path('silent.sock');
      const server = createServer(() => {});
      await new Promise<void>((resolve) => server.listen(path, resolve));
      ends.push(() => {
        server.closeAllConnections();
        server.close();
      });
      const started = Date.now();
      expect(
        await describeWith({ sockets: { ...none, docker: [path] }, timeout: 1 }),
      ).toBeUndefined();
      expect(Date.now() - started).toBeLessThan(5000);
    });

    it('if the answer is not JSON, or the id is invalid', async () => {
      const path = directory.path('odd.sock');
      const server = createServer((_, response) => response.end('<html>'));
      await new Promise<void>((resolve) => server.listen(path, resolve));
      ends.push(() => server.close());
      expect(
        await describeWith({ sockets: { ...none, docker: [path] }, timeout: 1 }),
      ).toBeUndefined();
      const watcher = watchContainers({ sockets: { ...none, docker: [path] } });
      expect(await watcher.describe({ id: '../images', cgroups: '' })).toBeUndefined();
      watcher.close();
      rmSync(path);
    });
  });

  describe('a runtime of a user', () => {
    const podman = (name: string) => ({
      [`/v4.0.0/libpod/containers/${id}/json`]: { Id: full, Name: name },
    });
    const users = async (uid: number, name: string) => {
      mkdirSync(directory.path('users', `${uid}`, 'podman'), { recursive: true });
      await httpStub(podman(name), [], directory.path('users', `${uid}`, 'podman', 'podman.sock'));
      return directory.path('users');
    };
    const ofUser = (uid: number) =>
      `pids=/user.slice/user-${uid}.slice/user@${uid}.service/user.slice/libpod-${full}.scope`;

    it('is asked about containers below that user', async () => {
      const sockets = { ...none, users: await users(1000, 'mine') };
      expect(await describeWith({ sockets }, ofUser(1000))).toMatchObject({ name: 'mine' });
    });

    it('is not asked about containers of other users, whatever their control groups are called', async () => {
      const sockets = { ...none, users: await users(1000, 'forged') };
      for (const cgroups of [
        ofUser(1001),
        `pids=/machine.slice/libpod-${full}.scope`,
        `pids=/user.slice/user-1001.slice/user@1001.service/x=/user.slice/user-1000.slice/libpod-${full}.scope`,
      ]) {
        expect(await describeWith({ sockets, timeout: 0.5 }, cgroups)).toBeUndefined();
      }
    });

    it('is used only if the runtimes of the machine do not know the container', async () => {
      const machine = await httpStub(podman('true'));
      const sockets = { ...none, podman: [machine], users: await users(1000, 'forged') };
      expect(await describeWith({ sockets }, ofUser(1000))).toMatchObject({ name: 'true' });
    });
  });

  describe('a runtime that answers byte by byte', () => {
    /** Never ends its answers. */
    async function drippingStub(): Promise<string> {
      const path = directory.path('drip.sock');
      const server = createServer((_, response) => {
        response.writeHead(200);
        const drops = setInterval(() => response.write(' '), 100);
        response.on('close', () => clearInterval(drops));
      });
      await new Promise<void>((resolve) => server.listen(path, resolve));
      ends.push(() => {
        server.closeAllConnections();
        server.close();
      });
      return path;
    }

    it('is given up in time', async () => {
      const started = Date.now();
      expect(
        await describeWith({ sockets: { ...none, docker: [await drippingStub()] }, timeout: 1 }),
      ).toBeUndefined();
      expect(Date.now() - started).toBeLessThan(4000);
    });

    // The trial for C++ asks about one container; watcher_test.cpp has its test.
    if (describeWith === inNode)
      it('does not delay requests to others', async () => {
        const podman = await drippingStub();
        const docker = await httpStub({ [`/containers/${id}/json`]: { Id: full, Name: '/web' } });
        const watcher = watchContainers({
          sockets: { ...none, docker: [docker], podman: [podman] },
        });
        ends.push(() => watcher.close());
        for (let i = 0; i < 20; i++)
          watcher.describe({ id: `${i}`.padStart(12, '0'), cgroups: 'pids=/libpod-' });
        const described = await watcher.describe({ id, cgroups: 'pids=/docker/' });
        expect(JSON.parse(described ?? '{}').container).toMatchObject({ name: 'web' });
      });
  });
});

it.skipIf(trial === undefined)('the usual sockets are the same in C++', async () => {
  const { stdout } = await promisify(execFile)(trial as string, ['sockets']);
  const { docker, podman, cri, users } = usualSockets;
  expect(stdout.trimEnd().split('\n')).toEqual([...docker, ...podman, ...cri, users]);
});

describe('image names', () => {
  it.each([
    ['nginx', 'nginx', '', ''],
    ['nginx:1.25', 'nginx', '1.25', ''],
    ['host:5000/nginx', 'host:5000/nginx', '', ''],
    ['host:5000/nginx:1@sha256:00', 'host:5000/nginx', '1', 'sha256:00'],
  ])('%s', (name, repo, tag, digest) => {
    expect(splitImage(name)).toEqual({ repo, tag, digest });
  });
});
