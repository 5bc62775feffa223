import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, list, number, object, text } from '../runtimes/description.js';
import { type Action, payloads, type Resource, resources } from './objects.js';
import { get, StatusError, type Times, watch } from './requests.js';
import type { KubernetesSettings } from './settings.js';

export interface KubernetesTimes extends Times {
  /** Pause after a failure, in ms; each further failure doubles it. */
  retry: number;
  maxRetry: number;
  /** Time after which the API ends a watch, in seconds. */
  watch: number;
}

const usualTimes: KubernetesTimes = {
  answer: 60_000,
  silence: 330_000,
  retry: 500,
  maxRetry: 30_000,
  watch: 290,
};

export interface KubernetesWatcher {
  close(): void;
}

/** Objects in a page of a list. */
const pageSize = 100;
/** Maximum objects of a kind; further ones are ignored. */
const maxObjects = 20_000;

/**
 * Follows the pods of this node, services and namespaces. `add` gets the payload of an event for
 * each change, as in captures; `warn` gets each problem once. Never throws: a capture goes on
 * without the API.
 */
export function watchKubernetes(
  settings: KubernetesSettings,
  add: (payload: string) => void,
  warn: (message: string) => void,
  times: KubernetesTimes = usualTimes,
): KubernetesWatcher {
  const ending = new AbortController();
  const known = new Set<string>();
  const warnOnce = (message: string) => {
    if (known.has(message) || ending.signal.aborted) return;
    known.add(message);
    warn(`Kubernetes: ${message}`);
  };
  const run = async () => {
    const node = await nodeOf(settings, times, ending.signal, warnOnce);
    const followers = resources.map(
      (resource) => new Follower(resource, node, { settings, add, warn: warnOnce, times, ending }),
    );
    // The first lists come one after another: a pod needs its services.
    for (const follower of followers) await follower.begin();
    await Promise.all(followers.map((follower) => follower.follow()));
  };
  run().catch(() => {});
  return { close: () => ending.abort() };
}

/** The name of this node. */
async function nodeOf(
  { node, self, machine, ...settings }: KubernetesSettings,
  times: Times,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<string> {
  if (node !== undefined) return node;
  if (self === undefined) return machine;
  const path = `/api/v1/namespaces/${encodeURIComponent(self.namespace)}/pods/${encodeURIComponent(self.name)}`;
  try {
    const pod = await get({ ...settings, machine }, path, times, signal);
    return text(object(pod.spec).nodeName) || machine;
  } catch (error) {
    // In the network of the node, a pod has the name of the node.
    if (!(error instanceof StatusError && error.status === 404))
      warn(`${messageOf(error)}; assuming that the node is ${machine}`);
    return machine;
  }
}

interface FollowerOptions {
  settings: KubernetesSettings;
  add(payload: string): void;
  warn(message: string): void;
  times: KubernetesTimes;
  ending: AbortController;
}

/** The version of the objects is too old for a watch: list them again. */
class Outdated extends Error {}

/** Lists the objects of a resource, then watches them. */
class Follower {
  readonly #resource: Resource;
  readonly #node: string;
  readonly #options: FollowerOptions;
  /** Known objects by uid. */
  #objects = new Map<string, { version: string; item: Answer }>();
  /** Version of the list from which to watch; undefined before the first list. */
  #version: string | undefined;
  #failures = 0;

  constructor(resource: Resource, node: string, options: FollowerOptions) {
    this.#resource = resource;
    this.#node = node;
    this.#options = options;
  }

  /** Tries to list once; follow() tries again. */
  async begin(): Promise<void> {
    await this.#attempt(() => this.#list());
  }

  /** Returns when the watcher is closed. */
  async follow(): Promise<void> {
    const { times, ending } = this.#options;
    while (!ending.signal.aborted) {
      if (this.#failures > 0) await this.#pause();
      if (this.#version === undefined) await this.#attempt(() => this.#list());
      if (this.#version === undefined || ending.signal.aborted) continue;
      const started = Date.now();
      await this.#attempt(() => this.#watch());
      // A server that ends each watch at once must not be asked all the time.
      if (this.#failures === 0 && Date.now() - started < times.retry)
        await sleep(times.retry, undefined, { signal: ending.signal }).catch(() => {});
    }
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    const { ending, warn } = this.#options;
    try {
      await work();
      this.#failures = 0;
    } catch (error) {
      if (ending.signal.aborted) return;
      if (error instanceof Outdated || (error instanceof StatusError && error.status === 410)) {
        // A second 410 in a row must not loop.
        this.#failures += this.#version === undefined ? 1 : 0;
        this.#version = undefined;
        return;
      }
      this.#failures += 1;
      warn(`${this.#resource.path}: ${messageOf(error)}; trying again`);
    }
  }

  async #pause(): Promise<void> {
    const { times, ending } = this.#options;
    const longest = Math.min(times.retry * 2 ** Math.min(this.#failures - 1, 16), times.maxRetry);
    // Not all sensors of a cluster at the same moment.
    const time = longest * (0.5 + Math.random() / 2);
    await sleep(time, undefined, { signal: ending.signal }).catch(() => {});
  }

  #path(parameters: Record<string, string>): string {
    const query = new URLSearchParams(parameters);
    if (this.#resource.ofNode) query.set('fieldSelector', `spec.nodeName=${this.#node}`);
    return `${this.#resource.path}?${query}`;
  }

  async #list(): Promise<void> {
    const { settings, times, ending, warn } = this.#options;
    const found = new Map<string, { version: string; item: Answer }>();
    let version = '';
    for (let next = ''; ; ) {
      const path = this.#path({ limit: String(pageSize), ...(next !== '' && { continue: next }) });
      const page = await get(settings, path, times, ending.signal);
      const metadata = object(page.metadata);
      version = text(metadata.resourceVersion);
      for (const entry of list(page.items)) {
        const { uid, ...one } = this.#read(object(entry));
        if (uid !== '' && found.size < maxObjects) found.set(uid, one);
      }
      next = text(metadata.continue);
      if (next === '') break;
      if (found.size >= maxObjects) {
        warn(`${this.#resource.path}: more than ${maxObjects} objects; ignoring the rest`);
        break;
      }
    }
    if (this.#resource.ofNode && found.size === 0)
      warn(`no pods on node ${this.#node}; if that is not this node, name it with --k8s-node`);
    this.#replace(found);
    this.#version = version;
  }

  /** Reports what changed between two lists. */
  #replace(found: Map<string, { version: string; item: Answer }>): void {
    const before = this.#objects;
    const gone = [...before].filter(([uid]) => !found.has(uid));
    const added = [...found].filter(([uid]) => !before.has(uid));
    const modified = [...found].filter(([uid, { version }]) => {
      const old = before.get(uid);
      return old !== undefined && old.version !== version;
    });
    this.#objects = found;
    this.#report('DELETED', gone);
    this.#report('ADDED', added);
    this.#report('MODIFIED', modified);
  }

  #report(action: Action, entries: Iterable<[string, { item: Answer }]>): void {
    const items = Array.from(entries, ([, { item }]) => item);
    for (const payload of payloads(action, this.#resource.kind, items)) this.#options.add(payload);
  }

  async #watch(): Promise<void> {
    const { settings, times, ending, warn } = this.#options;
    const path = this.#path({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version ?? '',
      timeoutSeconds: String(times.watch),
    });
    const skipped = () => warn(`${this.#resource.path}: skipped an object that is too long`);
    for await (const event of watch(settings, path, times, ending.signal, skipped))
      this.#take(text(event.type), object(event.object));
  }

  #take(type: string, found: Answer): void {
    if (type === 'ERROR') {
      if (number(found.code) === 410) throw new Outdated();
      throw new Error(`the watch failed with status ${number(found.code)}`);
    }
    const { uid, version, item } = this.#read(found);
    if (type === 'ADDED' || type === 'MODIFIED') {
      const before = this.#objects.get(uid);
      if (uid === '' || (before !== undefined && before.version === version)) return;
      if (before === undefined && this.#objects.size >= maxObjects) return;
      this.#objects.set(uid, { version, item });
      this.#report(type, [[uid, { item }]]);
    } else if (type === 'DELETED') {
      if (this.#objects.delete(uid)) this.#report('DELETED', [[uid, { item }]]);
    } else if (type !== 'BOOKMARK') {
      return;
    }
    // After a reconnection, the watch continues here.
    if (version !== '') this.#version = version;
    this.#failures = 0;
  }

  #read(found: Answer): { uid: string; version: string; item: Answer } {
    const { uid, resourceVersion } = object(found.metadata);
    return {
      uid: text(uid),
      version: text(resourceVersion),
      item: this.#resource.item(found),
    };
  }
}

function messageOf(error: unknown): string {
  if (error instanceof Error && error.name === 'AbortError') return 'no answer in time';
  if (error instanceof SyntaxError) return 'the answer is no JSON';
  const { code } = error as { code?: unknown };
  return error instanceof Error ? error.message || String(code) : String(error);
}
