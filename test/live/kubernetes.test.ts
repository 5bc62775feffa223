import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { maxPayload, payloads, resources } from '../../src/live/kubernetes/objects.js';
import {
  type KubernetesOptions,
  type KubernetesSettings,
  kubernetesSettings,
} from '../../src/live/kubernetes/settings.js';
import { type KubernetesTimes, watchKubernetes } from '../../src/live/kubernetes/watcher.js';
import { root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import {
  KubernetesStub,
  makeCertificates,
  namespaceObject,
  paths,
  podObject,
  serviceObject,
} from '../helpers/kubernetes-stub.js';

const directory = testDirectory();
let files: ReturnType<typeof makeCertificates>;
const certificates = mkdtempSync(join(tmpdir(), 'sfkit-'));
beforeAll(() => {
  files = makeCertificates(certificates);
});
afterAll(() => rmSync(certificates, { recursive: true }));
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const times: KubernetesTimes = {
  answer: 5000,
  silence: 60_000,
  retry: 10,
  maxRetry: 50,
  watch: 60,
};
const settled = { timeout: 20_000, interval: 10 };

interface Seen {
  stub: KubernetesStub;
  /** All events so far as "ACTION Kind name". */
  events: string[];
  payloads: string[];
  warnings: string[];
}

/** Starts to follow an API; returns a function that ends it. */
type Watch = (
  options: KubernetesOptions,
  times: KubernetesTimes,
  add: (payload: string) => void,
  warn: (message: string) => void,
) => () => void;

const inNode: Watch = (options, limits, add, warn) => {
  const settings = kubernetesSettings(options) as KubernetesSettings;
  const watcher = watchKubernetes(settings, add, warn, limits);
  return () => watcher.close();
};

/** A test program that is built. */
const program = (name: string) =>
  ['.', 'Release']
    .map((folder) => join(root, 'native/build', folder, name))
    .find((path) => existsSync(path));

/** A program that follows like the driver for C++. */
const trial = program('sfkit_kubernetes_trial');
const staticTrial = program('sfkit_kubernetes_static');

const inCpp: Watch = ({ env, ...options }, limits, add, warn) => {
  const args = Object.entries({ ...options, ...limits })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  const run = spawn(trial as string, args, {
    env: env as NodeJS.ProcessEnv,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  createInterface(run.stdout).on('line', (line) => {
    const [kind] = line.split(' ', 1) as [string];
    if (kind === 'event') add(line.slice('event '.length));
    else warn(line.slice(kind.length + 1));
  });
  return () => run.stdin.end();
};

const implementations: [string, Watch][] = [['Node', inNode]];
if (trial !== undefined) implementations.push(['C++', inCpp]);

async function followWith(
  watch: Watch,
  prepare: (stub: KubernetesStub) => void,
  more: Partial<KubernetesTimes> & KubernetesOptions = {},
): Promise<Seen> {
  const stub = new KubernetesStub(files);
  prepare(stub);
  const url = await stub.listen();
  const { cert = files.ca, node = 'node7', env = {}, account, url: _, ...changed } = more;
  const seen: Seen = { stub, events: [], payloads: [], warnings: [] };
  const end = watch(
    { url, cert, node, env, account },
    { ...times, ...changed },
    (payload) => {
      const { type, kind, items } = JSON.parse(payload);
      seen.payloads.push(payload);
      for (const { name } of items) seen.events.push(`${type} ${kind} ${name}`);
    },
    (message) => seen.warnings.push(message),
  );
  ends.push(end, () => stub.close());
  return seen;
}

const sees = (seen: Seen, events: string[]) =>
  vi.waitFor(() => expect(seen.events).toEqual(events), settled);
const isWatching = ({ stub }: Seen) =>
  vi.waitFor(() => expect(stub.watches).toBe(resources.length), settled);
const some = (stub: KubernetesStub) => {
  stub.put(paths.namespaces, namespaceObject('shop'));
  stub.put(paths.services, serviceObject('s1'));
  stub.put(paths.pods, podObject('p1'));
  stub.put(paths.pods, podObject('remote', { node: 'node8' }));
};
const first = ['ADDED Namespace shop', 'ADDED Service front-s1', 'ADDED Pod web-p1'];

describe.each(implementations)('following the API in %s', (_name, watchApi) => {
  const follow = (...args: Parameters<typeof followWith> extends [Watch, ...infer R] ? R : never) =>
    followWith(watchApi, ...args);

  it('lists, then watches, and asks only for pods of the node', async () => {
    const seen = await follow(some);
    await sees(seen, first);
    await isWatching(seen);
    seen.stub.put(paths.pods, podObject('p2'));
    seen.stub.put(paths.pods, podObject('p2', { restarts: 1 }));
    seen.stub.put(paths.pods, podObject('remote', { node: 'node8', restarts: 1 }));
    seen.stub.remove(paths.pods, 'p1');
    await sees(seen, [...first, 'ADDED Pod web-p2', 'MODIFIED Pod web-p2', 'DELETED Pod web-p1']);
    const watch = seen.stub.requests.find((url) => url.startsWith('/api/v1/pods?watch'));
    const parameters = new URLSearchParams(watch?.split('?')[1]);
    expect(parameters.get('fieldSelector')).toBe('spec.nodeName=node7');
    expect(parameters.get('allowWatchBookmarks')).toBe('true');
    expect(Number(parameters.get('resourceVersion'))).toBeGreaterThan(0);
    expect(seen.warnings).toEqual([]);
  });

  it('reads lists page by page', async () => {
    const all = Array.from({ length: 250 }, (_, index) => podObject(`p${index}`));
    const seen = await follow((stub) => {
      for (const pod of all) stub.put(paths.pods, pod);
    });
    await sees(
      seen,
      all.map(({ metadata }) => `ADDED Pod ${metadata.name}`),
    );
    expect(seen.stub.requests.filter((url) => url.includes('continue='))).toHaveLength(2);
  });

  it('joins lines that arrive in pieces, within characters too', async () => {
    const seen = await follow((stub) => {
      some(stub);
      stub.pieces = 3;
    });
    await isWatching(seen);
    seen.stub.put(paths.pods, podObject('p2', { labels: { app: 'wéb€😀' } }));
    await sees(seen, [...first, 'ADDED Pod web-p2']);
    expect(JSON.parse(seen.payloads.at(-1) as string).items[0].labels).toEqual({ app: 'wéb€😀' });
  });

  it('takes several lines of one write', async () => {
    const seen = await follow(some);
    await isWatching(seen);
    const line = (uid: string) =>
      `${JSON.stringify({ type: 'ADDED', object: { ...podObject(uid), kind: 'Pod' } })}\n`;
    seen.stub.send(paths.pods, line('p2') + line('p3') + line('p4').slice(0, 40));
    seen.stub.send(paths.pods, line('p4').slice(40));
    await sees(seen, [...first, 'ADDED Pod web-p2', 'ADDED Pod web-p3', 'ADDED Pod web-p4']);
  });

  it('continues after a disconnection where it was', async () => {
    const seen = await follow(some);
    await isWatching(seen);
    seen.stub.put(paths.pods, podObject('p2'));
    await sees(seen, [...first, 'ADDED Pod web-p2']);
    seen.stub.send(paths.pods, '{"type":"MODIF');
    seen.stub.dropWatches();
    seen.stub.put(paths.pods, podObject('p3'));
    seen.stub.remove(paths.pods, 'p1');
    await sees(seen, [...first, 'ADDED Pod web-p2', 'ADDED Pod web-p3', 'DELETED Pod web-p1']);
    expect(seen.stub.requests.filter((url) => url.startsWith('/api/v1/pods?limit'))).toHaveLength(
      1,
    );
  });

  it('lists again after 410 and reports only what changed', async () => {
    const seen = await follow(some);
    await isWatching(seen);
    seen.stub.dropWatches();
    seen.stub.put(paths.pods, podObject('p2'));
    seen.stub.put(paths.services, serviceObject('s1'));
    seen.stub.remove(paths.pods, 'p1');
    seen.stub.compact();
    await vi.waitFor(
      () =>
        expect(seen.events.slice(first.length).sort()).toEqual([
          'ADDED Pod web-p2',
          'DELETED Pod web-p1',
          'MODIFIED Service front-s1',
        ]),
      settled,
    );
  });

  it('lists again after 410 within a watch', async () => {
    const seen = await follow(some);
    await isWatching(seen);
    seen.stub.put(paths.pods, podObject('p2'));
    await sees(seen, [...first, 'ADDED Pod web-p2']);
    seen.stub.send(paths.pods, { type: 'ERROR', object: { kind: 'Status', code: 410 } });
    await vi.waitFor(
      () =>
        expect(
          seen.stub.requests.filter((url) => url.startsWith('/api/v1/pods?limit')),
        ).toHaveLength(2),
      settled,
    );
    await isWatching(seen);
    expect(seen.events).toEqual([...first, 'ADDED Pod web-p2']);
    expect(seen.warnings).toEqual([]);
  });

  it('reconnects at the version of a bookmark', async () => {
    const seen = await follow(some);
    await isWatching(seen);
    for (let i = 0; i < 3; i++) seen.stub.bookmark(paths.pods);
    seen.stub.put(paths.services, serviceObject('s2'));
    // A change after the bookmarks shows that they arrived.
    await sees(seen, [...first, 'ADDED Service front-s2']);
    const version = () =>
      Math.max(
        ...seen.stub.requests
          .filter((url) => url.startsWith('/api/v1/pods?watch'))
          .map((url) => Number(new URLSearchParams(url.split('?')[1]).get('resourceVersion'))),
      );
    const before = version();
    seen.stub.dropWatches();
    await vi.waitFor(() => expect(version()).toBe(before + 3), settled);
  });

  it('skips lines that are too long and goes on', async () => {
    const seen = await follow(some);
    await isWatching(seen);
    seen.stub.send(paths.pods, `{"type":"ADDED","object":{"x":"${'x'.repeat(5 << 20)}"}}\n`);
    seen.stub.put(paths.pods, podObject('p2'));
    await sees(seen, [...first, 'ADDED Pod web-p2']);
    expect(seen.warnings).toEqual([expect.stringContaining('too long')]);
  });

  describe('in a pod', () => {
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', HOSTNAME: 'sensor' };
    const account = (token: string, ca?: string) => {
      const place = directory.path('account');
      rmSync(place, { recursive: true, force: true });
      mkdirSync(place);
      writeFileSync(join(place, 'token'), `${token}\n`);
      writeFileSync(join(place, 'namespace'), 'sensors');
      if (ca !== undefined) copyFileSync(ca, join(place, 'ca.crt'));
      return place;
    };
    const sensor = () => {
      const pod = podObject('sensor');
      Object.assign(pod.metadata, { name: 'sensor', namespace: 'sensors' });
      return pod;
    };

    it('reads a renewed token after 401, and never shows it', async () => {
      const place = account('old-secret', files.ca);
      const accepted = new Set(['old-secret']);
      const seen = await follow(
        (stub) => {
          some(stub);
          stub.tokens = accepted;
        },
        { cert: '', account: place, env },
      );
      await sees(seen, first);
      await isWatching(seen);
      accepted.clear();
      seen.stub.dropWatches();
      await vi.waitFor(() => expect(seen.warnings.join()).toContain('status 401'), settled);
      accepted.add('new-secret');
      writeFileSync(join(place, 'token'), 'new-secret\n');
      seen.stub.put(paths.pods, podObject('p2'));
      await sees(seen, [...first, 'ADDED Pod web-p2']);
      expect(seen.warnings.join()).not.toContain('secret');
    });

    it('finds the node of the pod', async () => {
      const seen = await follow(
        (stub) => {
          some(stub);
          stub.put(paths.pods, sensor());
        },
        { cert: '', account: account('token', files.ca), env, node: '' },
      );
      await sees(seen, [...first, 'ADDED Pod sensor']);
    });

    it('refuses an API with the certificate of another authority', async () => {
      const seen = await follow(some, { cert: '', account: account('token'), env });
      await vi.waitFor(() => expect(seen.warnings).toHaveLength(resources.length), settled);
      expect(seen.warnings[0]).toMatch(/certificate/);
      expect(seen.stub.requests).toEqual([]);
    });
  });

  it('waits for a slow answer only for a limited time', async () => {
    const seen = await follow(
      (stub) => {
        some(stub);
        stub.isHanging = true;
      },
      { answer: 100 },
    );
    await vi.waitFor(() => expect(seen.warnings.join()).toContain('no answer in time'), settled);
    seen.stub.isHanging = false;
    await vi.waitFor(() => expect(seen.events.toSorted()).toEqual(first.toSorted()), settled);
  });

  it('ends a silent watch and reconnects', async () => {
    const seen = await follow(some, { silence: 100, answer: 100 });
    await vi.waitFor(
      () =>
        expect(
          seen.stub.requests.filter((url) => url.startsWith('/api/v1/pods?watch')).length,
        ).toBeGreaterThan(2),
      settled,
    );
    expect(seen.events).toEqual(first);
  });

  it('goes on with the other kinds if one is forbidden', async () => {
    const seen = await follow((stub) => {
      some(stub);
      stub.failures = [403];
    });
    await vi.waitFor(() => expect(seen.events.toSorted()).toEqual(first.toSorted()), settled);
    expect(seen.warnings).toEqual([expect.stringContaining('status 403')]);
  });

  it('survives objects of any shape', async () => {
    const seen = await follow(some);
    await isWatching(seen);
    for (const object of [
      null,
      1,
      [],
      {},
      { metadata: 1 },
      { metadata: { uid: 1 } },
      {
        metadata: { uid: 'x', labels: [1], name: {} },
        spec: 'y',
        status: { podIPs: 'z', containerStatuses: [null, 1] },
      },
    ])
      seen.stub.send(paths.pods, { type: 'ADDED', object });
    seen.stub.send(paths.pods, '\n[]\n"text"\n{"type":5}\n');
    seen.stub.put(paths.pods, podObject('p2'));
    await sees(seen, [...first, 'ADDED Pod ', 'ADDED Pod web-p2']);
  });

  it('reconnects after a line that is no JSON', async () => {
    const seen = await follow(some);
    await isWatching(seen);
    seen.stub.send(paths.pods, '{"type":\n');
    seen.stub.put(paths.pods, podObject('p2'));
    await sees(seen, [...first, 'ADDED Pod web-p2']);
    expect(seen.warnings).toEqual([expect.stringContaining('no JSON')]);
  });

  it('does not end a watch that only has nothing to say', async () => {
    const seen = await follow(some, { answer: 500 });
    await isWatching(seen);
    const before = seen.stub.requests.length;
    // A watch that ends after 100 ms starts ten times meanwhile.
    const other = await follow(some, { silence: 100 });
    const started = () => other.stub.requests.filter((url) => url.startsWith('/api/v1/pods?watch'));
    await vi.waitFor(() => expect(started().length).toBeGreaterThan(10), settled);
    seen.stub.put(paths.pods, podObject('p2'));
    await sees(seen, [...first, 'ADDED Pod web-p2']);
    expect([seen.warnings, seen.stub.requests.length]).toEqual([[], before]);
  });

  it('leaves out what may be secret', async () => {
    const seen = await follow(some);
    await sees(seen, first);
    expect(seen.payloads.join()).not.toContain('secret');
  });
});

describe.skipIf(trial === undefined)('the events in C++', () => {
  it('are those in Node', async () => {
    const hostile = podObject('odd', {
      labels: { app: '\u200b"\\\n', '10': 'x', long: 'é'.repeat(2000) },
    });
    Object.assign(hostile.metadata, {
      annotations: { 'kubernetes.io/config.hash': 'static' },
      name: { no: 'text' },
    });
    const ended = podObject('ended', { restarts: 3 });
    const [state] = (ended.status as { containerStatuses: object[] }).containerStatuses;
    Object.assign(state as object, {
      lastState: { terminated: { containerID: 'containerd://old', exitCode: 137, reason: 'OOM' } },
      restartCount: '4',
    });
    const named = serviceObject('named');
    Object.assign(named.spec as object, {
      ports: [{ name: 'http', port: 80, targetPort: 'http' }, null, { port: 'x' }],
    });
    const prepare = (stub: KubernetesStub) => {
      some(stub);
      stub.put(paths.services, named);
      stub.put(paths.pods, hostile);
      stub.put(paths.pods, ended);
      stub.put(paths.pods, podObject('many', { labels: manyLabels }));
    };
    const seen = await Promise.all([inNode, inCpp].map((watch) => followWith(watch, prepare)));
    for (const one of seen) {
      await isWatching(one);
      one.stub.put(paths.pods, podObject('p1', { restarts: 1 }));
      one.stub.remove(paths.services, 'named');
      await vi.waitFor(() => expect(one.events).toContain('DELETED Service front-named'), settled);
      await vi.waitFor(() => expect(one.events).toContain('MODIFIED Pod web-p1'), settled);
      // Within one request, changes keep their order.
      one.stub.dropWatches();
      one.stub.remove(paths.pods, 'ended');
      one.stub.remove(paths.pods, 'odd');
      one.stub.compact();
      await vi.waitFor(() => expect(one.events.join()).toContain('DELETED Pod web-ended'), settled);
    }
    const [node, cpp] = seen.map(({ payloads: all }) => all.map((text) => JSON.parse(text)));
    const sorted = (all: unknown[] | undefined) => all?.map((one) => JSON.stringify(one)).sort();
    expect(cpp?.length).toBeGreaterThan(5);
    expect(sorted(cpp)).toEqual(sorted(node));
  });
});

describe('in C++, the API is not used', () => {
  const problem = (path: string, env: NodeJS.ProcessEnv) => {
    const { stdout, status } = spawnSync(path, ['url=https://127.0.0.1:9'], {
      env,
      encoding: 'utf8',
      input: '',
    });
    expect(status).toBe(0);
    return stdout;
  };

  it.skipIf(trial === undefined)('without libcurl', () => {
    writeFileSync(directory.path('libcurl.so.4'), '');
    expect(problem(trial as string, { LD_LIBRARY_PATH: directory.path('.') })).toMatch(
      /^problem Kubernetes: the API is not used, because libcurl\.so\.4 cannot be loaded: .+\n$/,
    );
  });

  it.skipIf(staticTrial === undefined)('in a static program', () => {
    expect(problem(staticTrial as string, {})).toMatch(
      /^problem Kubernetes: the API is not used, .+: this program is linked statically\n$/,
    );
  });
});

const manyLabels = Object.fromEntries(
  Array.from({ length: 900 }, (_, index) => [`label-${index}`, 'x'.repeat(100)]),
);

describe('settings', () => {
  const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' };
  const account = () => {
    const place = directory.path('serviceaccount');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'token'), 'abc');
    writeFileSync(join(place, 'ca.crt'), 'authority');
    writeFileSync(join(place, 'namespace'), 'sensors\n');
    return place;
  };

  it('of a pod come from its service account', () => {
    const place = account();
    const found = kubernetesSettings({ env: { ...pod, HOSTNAME: 'sensor-1' }, account: place });
    expect(found?.url.href).toBe('https://10.0.0.1:6443/');
    expect(found).toMatchObject({
      tokenFile: join(place, 'token'),
      ca: 'authority',
      self: { namespace: 'sensors', name: 'sensor-1' },
    });
    const ipv6 = kubernetesSettings({
      env: { KUBERNETES_SERVICE_HOST: 'fd00::1' },
      account: place,
    });
    expect(ipv6?.url.href).toBe('https://[fd00::1]/');
  });

  it('are missing outside a pod', () => {
    expect(kubernetesSettings({ env: {}, account: account() })).toBeUndefined();
    expect(kubernetesSettings({ env: pod, account: directory.path('missing') })).toBeUndefined();
  });

  it('take a token, authorities, or a certificate with its key', () => {
    const read = (cert: string) =>
      kubernetesSettings({ url: 'https://api', cert, env: {}, account: '' });
    const token = directory.path('bearer');
    writeFileSync(token, 'abc');
    expect(read(token)).toMatchObject({ tokenFile: token });
    expect(read(files.ca)?.ca).toContain('BEGIN CERTIFICATE');
    const both = read(`${files.cert}:${files.key}#pass:${files.ca}`);
    expect(both?.clientCert).toContain('BEGIN CERTIFICATE');
    expect(both?.clientKey).toContain('PRIVATE KEY');
    expect(both?.passphrase).toBe('pass');
    expect(both?.ca).toContain('BEGIN CERTIFICATE');
  });

  it('name the node', () => {
    const node = (options: KubernetesOptions) =>
      kubernetesSettings({ url: 'https://api', account: '', ...options })?.node;
    expect(node({ node: 'a', env: { NODE_NAME: 'b' } })).toBe('a');
    expect(node({ env: { NODE_NAME: 'b' } })).toBe('b');
    expect(node({ env: {} })).toBeUndefined();
  });

  it('send no token without TLS', () => {
    const url = 'http://127.0.0.1:8001';
    const found = kubernetesSettings({ url, env: pod, account: account() });
    expect(found?.url.href).toBe(`${url}/`);
    expect(found?.tokenFile).toBeUndefined();
    expect(() => kubernetesSettings({ url, cert: files.ca, env: {}, account: '' })).toThrow(
      'they need an https URL',
    );
  });

  it('are refused if unusable, without their secrets', () => {
    for (const url of ['ftp://api', 'nonsense', 'https://user:secret@api']) {
      const attempt = () => kubernetesSettings({ url, env: {}, account: '' });
      expect(attempt).toThrow('expected an http or https URL');
      expect(attempt).not.toThrow('secret');
    }
    expect(() =>
      kubernetesSettings({ url: 'https://api', cert: '/missing', env: {}, account: '' }),
    ).toThrow('/missing: cannot read it');
  });
});

describe('payloads', () => {
  const item = (name: string, labels: object = {}) => ({ name, uid: name, namespace: 'n', labels });

  it('fit into events of a capture', () => {
    const many = Array.from({ length: 3000 }, (_, index) => item(`pod-${index}`));
    const all = [...payloads('ADDED', 'Pod', many)];
    expect(all.length).toBeGreaterThan(1);
    for (const payload of all) expect(Buffer.byteLength(payload)).toBeLessThan(2 ** 16);
    expect(all.flatMap((payload) => JSON.parse(payload).items)).toHaveLength(many.length);
  });

  it('drop labels that are too long for an event', () => {
    const labels = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`label-${index}`, 'é'.repeat(100)]),
    );
    const [only, ...rest] = [...payloads('MODIFIED', 'Pod', [item('pod', labels)])];
    expect(rest).toEqual([]);
    expect(Buffer.byteLength(only as string)).toBeLessThan(maxPayload + 200);
    expect(JSON.parse(only as string).items).toEqual([{ name: 'pod', uid: 'pod', namespace: 'n' }]);
  });
});
