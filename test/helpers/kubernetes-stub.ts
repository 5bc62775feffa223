import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** Makes an authority and a certificate for 127.0.0.1 in a directory; returns their files. */
export function makeCertificates(directory: string) {
  const file = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=stub authority',
    '-days',
    '2',
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.crt'),
  );
  openssl(
    'req',
    ...key,
    '-subj',
    '/CN=kubernetes',
    '-keyout',
    file('server.key'),
    '-out',
    file('server.csr'),
  );
  writeFileSync(file('names'), 'subjectAltName=IP:127.0.0.1\n');
  openssl(
    'x509',
    '-req',
    '-in',
    file('server.csr'),
    '-CA',
    file('ca.crt'),
    '-CAkey',
    file('ca.key'),
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    file('names'),
    '-out',
    file('server.crt'),
  );
  return { ca: file('ca.crt'), key: file('server.key'), cert: file('server.crt') };
}

export interface StubObject {
  metadata: { uid: string; name: string; namespace?: string; [member: string]: unknown };
  spec?: { nodeName?: string; [member: string]: unknown };
  [member: string]: unknown;
}

interface Change {
  version: number;
  type: string;
  path: string;
  object: StubObject;
}

/** An API server with a store of objects, which speaks the list and watch protocol over TLS. */
export class KubernetesStub {
  readonly requests: string[] = [];
  /** Accepted tokens; any request if undefined. */
  tokens: Set<string> | undefined;
  /** Bytes of a write in a watch; 0: no splitting. */
  pieces = 0;
  /** Answers these statuses to the next requests, before looking at them. */
  failures: number[] = [];
  /** Lists do not answer while this is set. */
  isHanging = false;
  #version = 100;
  #oldest = 0;
  readonly #objects = new Map<string, Map<string, StubObject>>();
  readonly #changes: Change[] = [];
  readonly #watches = new Set<{
    path: string;
    node: string | undefined;
    response: ServerResponse;
  }>();
  readonly #server;

  constructor(files: { key: string; cert: string }) {
    const tls = { key: readFileSync(files.key), cert: readFileSync(files.cert) };
    this.#server = createServer(tls, (request, response) => this.#answer(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  get watches(): number {
    return this.#watches.size;
  }

  put(path: string, object: StubObject): void {
    const all = this.#all(path);
    const type = all.has(object.metadata.uid) ? 'MODIFIED' : 'ADDED';
    this.#change(type, path, object);
    all.set(object.metadata.uid, object);
  }

  remove(path: string, uid: string): void {
    const object = this.#all(path).get(uid) as StubObject;
    this.#all(path).delete(uid);
    this.#change('DELETED', path, object);
  }

  /** Forgets the history: watches from before get 410. */
  compact(): void {
    this.#changes.length = 0;
    this.#oldest = this.#version;
  }

  bookmark(path: string): void {
    this.#version += 1;
    const metadata = { resourceVersion: String(this.#version) };
    this.send(path, { type: 'BOOKMARK', object: { kind: 'Pod', metadata } });
  }

  /** Ends the connections of all watches, in the middle of whatever they send. */
  dropWatches(): void {
    for (const { response } of this.#watches) response.socket?.destroy();
    this.#watches.clear();
  }

  /** Writes to the watches of a path: an object as a line, or raw text. */
  send(path: string, what: object | string): void {
    const text = typeof what === 'string' ? what : `${JSON.stringify(what)}\n`;
    for (const watch of this.#watches) {
      if (watch.path === path) this.#write(watch.response, text);
    }
  }

  #all(path: string): Map<string, StubObject> {
    const found = this.#objects.get(path) ?? new Map<string, StubObject>();
    this.#objects.set(path, found);
    return found;
  }

  #change(type: string, path: string, object: StubObject): void {
    this.#version += 1;
    object.metadata.resourceVersion = String(this.#version);
    const change = { version: this.#version, type, path, object: structuredClone(object) };
    this.#changes.push(change);
    for (const watch of this.#watches) {
      if (watch.path === path && fits(object, watch.node))
        this.#write(watch.response, `${JSON.stringify({ type, object: change.object })}\n`);
    }
  }

  #write(response: ServerResponse, text: string): void {
    const bytes = Buffer.from(text);
    const step = this.pieces || bytes.length;
    for (let at = 0; at < bytes.length; at += step) response.write(bytes.subarray(at, at + step));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request.url ?? '');
    const fail = (code: number) => {
      response.writeHead(code, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code }));
    };
    const failure = this.failures.shift();
    if (failure !== undefined) {
      fail(failure);
      return;
    }
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (this.tokens !== undefined && !this.tokens.has(token)) {
      fail(401);
      return;
    }
    const url = new URL(request.url ?? '', 'https://stub');
    const parameters = url.searchParams;
    const node = /^spec\.nodeName=(.*)$/.exec(parameters.get('fieldSelector') ?? '')?.[1];
    const one = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)$/.exec(url.pathname);
    if (one !== null) {
      const pods = [...this.#all('/api/v1/pods').values()];
      const pod = pods.find(
        ({ metadata }) => metadata.namespace === one[1] && metadata.name === one[2],
      );
      if (pod === undefined) fail(404);
      else response.end(JSON.stringify(pod));
      return;
    }
    if (parameters.get('watch') === '1') this.#watch(url, node, response, fail);
    else if (!this.isHanging) this.#list(url, node, response);
  }

  #list(url: URL, node: string | undefined, response: ServerResponse): void {
    const all = [...this.#all(url.pathname).values()].filter((object) => fits(object, node));
    const limit = Number(url.searchParams.get('limit') ?? all.length);
    const start = Number(url.searchParams.get('continue') ?? 0);
    const next = start + limit < all.length ? { continue: String(start + limit) } : {};
    const metadata = { resourceVersion: String(this.#version), ...next };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        kind: 'List',
        apiVersion: 'v1',
        metadata,
        items: all.slice(start, start + limit),
      }),
    );
  }

  #watch(
    url: URL,
    node: string | undefined,
    response: ServerResponse,
    fail: (code: number) => void,
  ): void {
    const from = Number(url.searchParams.get('resourceVersion'));
    if (from < this.#oldest) {
      fail(410);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
    response.flushHeaders();
    const watch = { path: url.pathname, node, response };
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    for (const { version, type, path, object } of this.#changes) {
      if (version > from && path === url.pathname && fits(object, node))
        this.#write(response, `${JSON.stringify({ type, object })}\n`);
    }
  }
}

function fits(object: StubObject, node: string | undefined): boolean {
  return node === undefined || object.spec?.nodeName === node;
}

export const paths = {
  pods: '/api/v1/pods',
  services: '/api/v1/services',
  namespaces: '/api/v1/namespaces',
} as const;

// Objects with the members that the API documentation describes.

export function podObject(
  uid: string,
  more: { restarts?: number; node?: string; container?: string; labels?: object } = {},
): StubObject {
  const {
    restarts = 0,
    node = 'node7',
    container = 'c'.repeat(64),
    labels = { app: 'web' },
  } = more;
  return {
    metadata: {
      uid,
      name: `web-${uid}`,
      namespace: 'shop',
      creationTimestamp: '2026-01-02T03:04:05Z',
      labels,
      annotations: { 'example.com/token': 'very secret' },
    },
    spec: {
      nodeName: node,
      containers: [
        {
          name: 'web',
          image: 'nginx:1.25',
          env: [{ name: 'PASSWORD', value: 'very secret' }],
          command: ['very secret'],
        },
      ],
    },
    status: {
      phase: 'Running',
      hostIP: '192.168.1.7',
      hostIPs: [{ ip: '192.168.1.7' }],
      podIP: '10.0.0.7',
      podIPs: [{ ip: '10.0.0.7' }, { ip: 'fd00::7' }],
      containerStatuses: [
        {
          name: 'web',
          containerID: `containerd://${container}`,
          image: 'nginx:1.25',
          imageID: 'sha256:1',
          ready: true,
          restartCount: restarts,
        },
      ],
    },
  };
}

export function serviceObject(uid: string): StubObject {
  return {
    metadata: {
      uid,
      name: `front-${uid}`,
      namespace: 'shop',
      creationTimestamp: '2026-01-02T03:04:05Z',
    },
    spec: {
      clusterIP: '10.96.0.10',
      clusterIPs: ['10.96.0.10'],
      selector: { app: 'web' },
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080, nodePort: 30080 }],
    },
  };
}

export function namespaceObject(name: string): StubObject {
  return { metadata: { uid: `ns-${name}`, name, creationTimestamp: '2026-01-02T03:04:05Z' } };
}
