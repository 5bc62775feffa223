import { request } from 'node:http';
import { runtimeTypes } from '../../engine/schema.gen.js';
import {
  type Answer,
  type ContainerDescription,
  labels,
  list,
  number,
  object,
  splitImage,
  text,
  withoutAlgorithm,
} from './description.js';

/**
 * Asks docker about a container; undefined if unknown. Rejects without an answer by `until`, in ms
 * since 1970.
 */
export async function askDocker(
  socket: string,
  id: string,
  until: number,
): Promise<ContainerDescription | undefined> {
  const container = await get(socket, `/containers/${id}/json`, until);
  if (container === undefined) return undefined;
  const imageId = text(container.Image);
  // Other names of the image; optional.
  const image = await get(socket, `/images/${encodeURIComponent(imageId)}/json`, until).catch(
    () => undefined,
  );
  const config = object(container.Config);
  const typed = splitImage(text(config.Image));
  const isId = withoutAlgorithm(imageId).startsWith(withoutAlgorithm(text(config.Image)));
  const digests = list(image?.RepoDigests).map((entry) => splitImage(text(entry)));
  const tags = list(image?.RepoTags).map((entry) => splitImage(text(entry)));
  const repo = isId || typed.repo === '' ? (digests[0]?.repo ?? tags[0]?.repo ?? '') : typed.repo;
  const tag =
    isId || typed.tag === '' ? (tags.find((entry) => entry.repo === repo)?.tag ?? '') : typed.tag;
  const digest =
    typed.digest || (digests.find((entry) => entry.repo === repo) ?? digests[0])?.digest;
  const found = common(container);
  return {
    ...found,
    id,
    type: runtimeTypes.docker,
    image: text(config.Image),
    imageid: withoutAlgorithm(imageId),
    imagerepo: repo,
    imagetag: tag,
    imagedigest: digest ?? '',
    is_pod_sandbox:
      found.labels['io.kubernetes.docker.type'] === 'podsandbox' ||
      found.name.startsWith('k8s_POD'),
  };
}

/** Asks podman, which needs only one request. */
export async function askPodman(
  socket: string,
  id: string,
  until: number,
): Promise<ContainerDescription | undefined> {
  const container = await get(socket, `/v4.0.0/libpod/containers/${id}/json`, until);
  if (container === undefined) return undefined;
  const image = text(container.ImageName);
  const { repo, tag, digest } = splitImage(image);
  return {
    ...common(container),
    id,
    type: runtimeTypes.podman,
    image,
    imageid: withoutAlgorithm(text(container.Image)),
    imagerepo: repo,
    imagetag: tag,
    imagedigest: text(container.ImageDigest) || digest,
    is_pod_sandbox: container.IsInfra === true,
    pod_sandbox_id: text(container.Pod),
  };
}

/** The part that docker and podman have in common. */
function common(container: Answer) {
  const host = object(container.HostConfig);
  const network = object(container.NetworkSettings);
  const networks = Object.values(object(network.Networks)).map((entry) =>
    text(object(entry).IPAddress),
  );
  const created = Date.parse(text(container.Created));
  return {
    full_id: text(container.Id),
    name: text(container.Name).replace(/^\//, ''),
    privileged: host.Privileged === true,
    labels: labels(object(container.Config).Labels),
    created_time: Number.isNaN(created) ? 0 : Math.floor(created / 1000),
    host_pid: host.PidMode === 'host',
    host_network: host.NetworkMode === 'host',
    host_ipc: host.IpcMode === 'host',
    ip: text(network.IPAddress) || (networks.find((address) => address !== '') ?? ''),
    User: text(object(container.Config).User),
    Mounts: list(container.Mounts).map((entry) => {
      const mount = object(entry);
      return {
        Source: text(mount.Source),
        Destination: text(mount.Destination),
        Mode: text(mount.Mode),
        RW: mount.RW === true,
        Propagation: text(mount.Propagation),
      };
    }),
    memory_limit: number(host.Memory),
    swap_limit: number(host.MemorySwap),
    cpu_shares: number(host.CpuShares) || 1024,
    cpu_quota: Math.max(number(host.CpuQuota), Math.floor(number(host.NanoCpus) / 10_000)),
    cpu_period: number(host.CpuPeriod) || 100_000,
  };
}

/** Maximum bytes of an answer. */
const maxAnswer = 4 * 1024 * 1024;

/** The JSON of a path; undefined for 404. */
function get(socketPath: string, path: string, until: number): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    // The timeout covers the whole answer, even if it trickles in.
    const signal = AbortSignal.timeout(Math.max(until - Date.now(), 1));
    const asked = request(
      { socketPath, path, headers: { Host: 'localhost' }, signal },
      (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        response.on('data', (part: Buffer) => {
          size += part.length;
          if (size > maxAnswer) asked.destroy(new Error('the answer is too long'));
          else parts.push(part);
        });
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 404) return resolve(undefined);
          if (response.statusCode !== 200)
            return reject(new Error(`${path}: status ${response.statusCode}`));
          try {
            resolve(object(JSON.parse(Buffer.concat(parts).toString())));
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    // A hanging daemon must not delay the end of the process.
    asked.on('socket', (open) => open.unref());
    // Protocol upgrades are unsupported.
    asked.on('upgrade', () => asked.destroy(new Error(`${path}: status 101`)));
    asked.on('error', reject);
    asked.end();
  });
}
