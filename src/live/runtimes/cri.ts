import type { ServiceError } from '@grpc/grpc-js';
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

/** A connection to a runtime that implements the container runtime interface (CRI), version 1. */
export interface CriClient {
  /**
   * Undefined if the runtime does not know the container. Rejects without an answer by `until`, in
   * ms since 1970.
   */
  ask(id: string, until: number): Promise<ContainerDescription | undefined>;
  close(): void;
}

const string = 'string';
const field = (type: string, id: number, rule?: 'repeated') => ({
  type,
  id,
  ...(rule && { rule }),
});
const map = (id: number) => ({ keyType: string, type: string, id });

/** The part of runtime.v1 that sfkit uses, with its names and numbers. */
const messages = {
  VersionRequest: { fields: { version: field(string, 1) } },
  VersionResponse: { fields: { runtime_name: field(string, 2) } },
  ContainerStatusRequest: { fields: { container_id: field(string, 1), verbose: field('bool', 2) } },
  ContainerStatusResponse: { fields: { status: field('ContainerStatus', 1), info: map(2) } },
  ContainerMetadata: { fields: { name: field(string, 1) } },
  ImageSpec: { fields: { image: field(string, 1) } },
  Mount: {
    fields: {
      container_path: field(string, 1),
      host_path: field(string, 2),
      readonly: field('bool', 3),
      propagation: field('int32', 5),
    },
  },
  LinuxContainerResources: {
    fields: {
      cpu_period: field('int64', 1),
      cpu_quota: field('int64', 2),
      cpu_shares: field('int64', 3),
      memory_limit_in_bytes: field('int64', 4),
    },
  },
  ContainerResources: { fields: { linux: field('LinuxContainerResources', 1) } },
  LinuxContainerUser: { fields: { uid: field('int64', 1) } },
  ContainerUser: { fields: { linux: field('LinuxContainerUser', 1) } },
  ContainerStatus: {
    fields: {
      id: field(string, 1),
      metadata: field('ContainerMetadata', 2),
      created_at: field('int64', 4),
      image: field('ImageSpec', 8),
      image_ref: field(string, 9),
      labels: map(12),
      mounts: field('Mount', 14, 'repeated'),
      resources: field('ContainerResources', 16),
      image_id: field(string, 17),
      user: field('ContainerUser', 18),
    },
  },
  PodSandboxStatusRequest: {
    fields: { pod_sandbox_id: field(string, 1), verbose: field('bool', 2) },
  },
  PodSandboxStatusResponse: { fields: { status: field('PodSandboxStatus', 1), info: map(2) } },
  PodSandboxMetadata: {
    fields: { name: field(string, 1), uid: field(string, 2), namespace: field(string, 3) },
  },
  PodSandboxNetworkStatus: { fields: { ip: field(string, 1) } },
  NamespaceOption: {
    fields: { network: field('int32', 1), pid: field('int32', 2), ipc: field('int32', 3) },
  },
  Namespace: { fields: { options: field('NamespaceOption', 2) } },
  LinuxPodSandboxStatus: { fields: { namespaces: field('Namespace', 1) } },
  PodSandboxStatus: {
    fields: {
      id: field(string, 1),
      metadata: field('PodSandboxMetadata', 2),
      created_at: field('int64', 4),
      network: field('PodSandboxNetworkStatus', 5),
      linux: field('LinuxPodSandboxStatus', 6),
      labels: map(7),
    },
  },
};

const methods = Object.fromEntries(
  ['Version', 'ContainerStatus', 'PodSandboxStatus'].map((name) => [
    name,
    { requestType: `${name}Request`, responseType: `${name}Response` },
  ]),
);

/** The interface as a description for the gRPC library; also used by a test server. */
export const criInterface = {
  nested: { runtime: { nested: { v1: { nested: { ...messages, RuntimeService: { methods } } } } } },
};

/** How the library decodes values. */
export const criOptions = { keepCase: true, longs: String, defaults: true } as const;

const typesByName = new Map<string, number>([
  ['containerd', runtimeTypes.containerd],
  ['cri-o', runtimeTypes['cri-o']],
]);
const notFound = 5;
/** Namespace of the node. */
const ofNode = 2;
const propagations = ['private', 'rslave', 'rshared'];
const maxAnswer = 16 * 1024 * 1024;

/** Opens the socket; sends no request yet. */
export async function openCri(socket: string): Promise<CriClient> {
  const [grpc, { fromJSON }] = await Promise.all([
    import('@grpc/grpc-js'),
    import('@grpc/proto-loader'),
  ]);
  const loaded = grpc.loadPackageDefinition(fromJSON(criInterface as never, criOptions));
  const Service = ((loaded.runtime as Answer).v1 as Answer).RuntimeService as ReturnType<
    typeof grpc.makeGenericClientConstructor
  >;
  const client = new Service(`unix:${socket}`, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': maxAnswer,
    // Reconnect soon after a runtime restarts.
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 2000,
  });
  const call = (method: string, argument: object, until: number): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer: unknown) =>
        error ? reject(error) : resolve(object(answer));
      (client as unknown as Record<string, (...args: unknown[]) => void>)[method]?.(
        argument,
        { deadline: until },
        done,
      );
    });
  const unlessUnknown = (error: ServiceError) => {
    if (error.code === notFound) return undefined;
    throw error;
  };
  let type: Promise<number> | undefined;
  const typeOf = async (until: number) => {
    const { runtime_name } = await call('Version', {}, until);
    return typesByName.get(text(runtime_name)) ?? runtimeTypes.cri;
  };
  return {
    async ask(id, until) {
      type ??= typeOf(until);
      // Do not cache a failure.
      const known = await type.catch((error) => {
        type = undefined;
        throw error;
      });
      const container = await call(
        'ContainerStatus',
        { container_id: id, verbose: true },
        until,
      ).catch(unlessUnknown);
      const info = verbose(container);
      const sandboxId = container === undefined ? id : text(info.sandboxID);
      const sandbox =
        sandboxId === ''
          ? undefined
          : await call(
              'PodSandboxStatus',
              { pod_sandbox_id: sandboxId, verbose: false },
              until,
            ).catch(unlessUnknown);
      if (container !== undefined)
        return ofContainer(id, known, object(container.status), info, object(sandbox?.status));
      return sandbox === undefined ? undefined : ofSandbox(id, known, object(sandbox.status));
    },
    close: () => client.close(),
  };
}

/** Runtime-specific details, as JSON in a text. */
function verbose(answer: Answer | undefined): Answer {
  try {
    return object(JSON.parse(text(object(answer?.info).info) || '{}'));
  } catch {
    return {};
  }
}

function ofContainer(
  id: string,
  type: number,
  status: Answer,
  info: Answer,
  sandbox: Answer,
): ContainerDescription {
  const named = text(object(status.image).image);
  const reference = text(status.image_ref);
  const annotations = object(object(info.runtimeSpec).annotations);
  const isId = named === '' || named.startsWith('sha256:');
  const image = isId
    ? text(annotations['io.kubernetes.cri.image-name']) ||
      text(annotations['io.kubernetes.cri-o.Image']) ||
      text(annotations['io.kubernetes.cri-o.ImageName']) ||
      named
    : named;
  const { repo, tag } = splitImage(image);
  const digest = reference.startsWith('sha256:') ? reference : splitImage(reference).digest;
  const config = object(info.config);
  const configured = text(object(config.image).image);
  const resources = object(object(status.resources).linux);
  const uid = object(object(status.user).linux).uid;
  return {
    id,
    full_id: text(status.id),
    type,
    name: text(object(status.metadata).name),
    image,
    imageid: withoutAlgorithm(
      text(status.image_id) || (configured.startsWith('sha256:') ? configured : ''),
    ),
    imagerepo: repo,
    imagetag: tag,
    imagedigest: digest,
    privileged:
      object(object(config.linux).security_context).privileged === true || info.privileged === true,
    is_pod_sandbox: false,
    labels: { ...labels(status.labels), ...podLabels(sandbox) },
    created_time: seconds(status.created_at),
    User: uid === undefined ? '' : String(number(uid)),
    Mounts: list(status.mounts).map((entry) => {
      const mount = object(entry);
      return {
        Source: text(mount.host_path),
        Destination: text(mount.container_path),
        Mode: '',
        RW: mount.readonly !== true,
        Propagation: propagations[number(mount.propagation)] ?? 'unknown',
      };
    }),
    memory_limit: number(resources.memory_limit_in_bytes),
    cpu_shares: number(resources.cpu_shares) || 1024,
    cpu_quota: number(resources.cpu_quota),
    cpu_period: number(resources.cpu_period) || 100_000,
    ...ofPod(sandbox),
  };
}

/** A pod's sandbox container, which only runs a pause program. */
function ofSandbox(id: string, type: number, sandbox: Answer): ContainerDescription {
  return {
    id,
    full_id: text(sandbox.id),
    type,
    name: text(object(sandbox.metadata).name),
    image: '',
    imageid: '',
    imagerepo: '',
    imagetag: '',
    imagedigest: '',
    privileged: false,
    is_pod_sandbox: true,
    labels: { ...labels(sandbox.labels), ...podLabels(sandbox) },
    created_time: seconds(sandbox.created_at),
    ...ofPod(sandbox),
  };
}

function ofPod(sandbox: Answer) {
  const options = object(object(object(sandbox.linux).namespaces).options);
  return {
    pod_sandbox_id: text(sandbox.id),
    pod_sandbox_labels: labels(sandbox.labels),
    ip: text(object(sandbox.network).ip),
    host_network: number(options.network) === ofNode,
    host_pid: number(options.pid) === ofNode,
    host_ipc: number(options.ipc) === ofNode,
  };
}

function podLabels(sandbox: Answer): Record<string, string> {
  const { name, namespace, uid } = object(sandbox.metadata);
  const named: [string, unknown][] = [
    ['io.kubernetes.sandbox.id', sandbox.id],
    ['io.kubernetes.pod.name', name],
    ['io.kubernetes.pod.namespace', namespace],
    ['io.kubernetes.pod.uid', uid],
  ];
  return Object.fromEntries(
    named.map(([label, value]) => [label, text(value)]).filter(([, value]) => value !== ''),
  );
}

function seconds(nanoseconds: unknown): number {
  return Math.floor(number(nanoseconds) / 1e9);
}
