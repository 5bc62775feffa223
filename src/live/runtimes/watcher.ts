import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { UnknownContainer } from '../../engine/session.js';
import { type CriClient, openCri } from './cri.js';
import { type ContainerDescription, containerEvent } from './description.js';
import { askDocker, askPodman } from './docker.js';

/** Socket paths by kind of runtime. */
export interface RuntimeSockets {
  docker: readonly string[];
  podman: readonly string[];
  cri: readonly string[];
  /**
   * Directory with one subdirectory per user id, which contains the socket of that user's podman.
   */
  users: string;
}

/** The usual sockets; `hostRoot`: directory with the files of the host, '' for the own root. */
export function usualSockets(hostRoot = ''): RuntimeSockets {
  return {
    docker: [`${hostRoot}/var/run/docker.sock`],
    podman: [`${hostRoot}/run/podman/podman.sock`],
    cri: [
      `${hostRoot}/run/containerd/containerd.sock`,
      `${hostRoot}/run/crio/crio.sock`,
      `${hostRoot}/run/k3s/containerd/containerd.sock`,
      `${hostRoot}/run/k0s/containerd.sock`,
      `${hostRoot}/run/host-containerd/containerd.sock`,
      `${hostRoot}/run/cri-dockerd.sock`,
    ],
    users: `${hostRoot}/run/user`,
  };
}

export interface WatcherOptions {
  /** Default: the usual sockets below hostRoot. */
  sockets?: RuntimeSockets | undefined;
  /** Directory with the files of the host. Default: the own root directory. */
  hostRoot?: string | undefined;
  /** The only CRI socket to ask, instead of the usual ones. */
  criPath?: string | undefined;
  /** Maximum time to ask about a container, in seconds; 0: ask once. Default: 30. */
  timeout?: number | undefined;
}

/** Asks the runtimes of this machine about containers, without delaying the capture. */
export interface ContainerWatcher {
  /** Payload of the event that describes it; undefined if no runtime knows it. Never rejects. */
  describe(container: UnknownContainer): Promise<string | undefined>;
  close(): void;
}

/**
 * Pauses between attempts, in ms: a runtime may know a container only after its first process runs.
 */
const pauses = [125, 250, 500, 1000, 2000] as const;
/** Maximum time of one request, in ms. */
const maxRequestTime = 5000;
/**
 * Maximum concurrent requests per socket, and maximum waiting ones; further containers are skipped.
 */
const maxConcurrent = 8;
const maxWaiting = 1024;

/** `until`: when to give up, in ms since 1970. */
type Ask = (id: string, until: number) => Promise<ContainerDescription | undefined>;

interface Runtime {
  socket: string;
  ask: Ask;
}

export function watchContainers(options: WatcherOptions = {}): ContainerWatcher {
  const usual = options.sockets ?? usualSockets(options.hostRoot);
  const sockets = options.criPath ? { ...usual, cri: [options.criPath] } : usual;
  const maxTime = (options.timeout ?? 30) * 1000;
  const clients = new Map<string, Promise<CriClient>>();
  let closed = false;

  const askCri = async (socket: string, id: string, until: number) => {
    let client = clients.get(socket);
    if (client === undefined) {
      client = openCri(socket);
      clients.set(socket, client);
    }
    return (await client).ask(id, until);
  };

  const runtimes = (
    paths: readonly string[],
    ask: (socket: string, ...rest: Parameters<Ask>) => ReturnType<Ask>,
  ) =>
    paths
      .filter(existsSync)
      .map((socket): Runtime => ({ socket, ask: (id, until) => ask(socket, id, until) }));

  /** The runtimes to ask, the most likely first; only existing sockets. */
  const runtimesFor = (cgroups: string): Runtime[] => {
    const docker = runtimes(sockets.docker, askDocker);
    const podman = runtimes(sockets.podman, askPodman);
    const kubernetes = runtimes(sockets.cri, askCri);
    // A user's podman is only asked about that user's containers, and only if the machine's
    // runtimes do not know them.
    const [, uid] = /=\/user\.slice\/user-(\d+)\.slice\//.exec(cgroups) ?? [];
    const own =
      uid === undefined
        ? []
        : runtimes([join(sockets.users, uid, 'podman/podman.sock')], askPodman);
    if (/\/libpod-/.test(cgroups)) return [...podman, ...docker, ...own];
    if (/cri-containerd|crio-|kubepods/.test(cgroups)) return [...kubernetes, ...docker];
    if (/docker[-/]/.test(cgroups)) return [...docker, ...kubernetes];
    return [...docker, ...kubernetes, ...podman, ...own];
  };

  // One queue per socket, so that a slow or malicious runtime does not delay the others.
  const queues = new Map<string, Turns>();
  const inTurn = async ({ socket, ask }: Runtime, id: string, until: number) => {
    const queue = queues.get(socket) ?? new Turns();
    queues.set(socket, queue);
    return queue.take(() => ask(id, Math.min(until, Date.now() + maxRequestTime)));
  };

  return {
    async describe({ id, cgroups }) {
      if (!/^[\w.-]+$/.test(id)) return undefined;
      const isAskedOnce = maxTime === 0;
      const until = Date.now() + (isAskedOnce ? maxRequestTime : maxTime);
      for (let attempt = 0; !closed; attempt++) {
        for (const runtime of runtimesFor(cgroups)) {
          if (closed || Date.now() >= until) return undefined;
          const found = await inTurn(runtime, id, until).catch(() => undefined);
          if (found !== undefined) return containerEvent(found);
        }
        if (isAskedOnce) return undefined;
        const pause = pauses[Math.min(attempt, pauses.length - 1)] as number;
        if (Date.now() + pause >= until) return undefined;
        await new Promise((resolve) => setTimeout(resolve, pause).unref());
      }
      return undefined;
    },
    close() {
      closed = true;
      for (const client of clients.values()) {
        client.then((open) => open.close()).catch(() => {});
      }
    },
  };
}

/** Limits the number of concurrent requests. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < maxConcurrent) this.#running += 1;
    else if (this.#waiting.length >= maxWaiting) throw new Error('too many requests are waiting');
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The next request takes the slot.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
