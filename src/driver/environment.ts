import type { Environment } from '../engine/config.js';
import type { SysFlowConfig } from './config.js';

/** The fields that variables override; variables without a valid value are ignored. */
export function overridesOf(env: Environment): Partial<SysFlowConfig> {
  const overrides: Partial<SysFlowConfig> = {};
  const has = (name: string) => env[name] !== undefined;
  if (env.ENABLE_STATS === '1') overrides.enableStats = true;
  if (has('ENABLE_DROP_MODE')) overrides.dropMode = env.ENABLE_DROP_MODE === '1';
  if (has('FILE_ONLY')) overrides.fileOnly = env.FILE_ONLY === '1';
  if (has('ENABLE_PROC_FLOW')) overrides.enableProcessFlow = env.ENABLE_PROC_FLOW === '1';
  const mode = { '0': 0, '1': 1, '2': 2 }[env.FILE_READ_MODE ?? ''];
  if (mode !== undefined) overrides.fileReadMode = mode as 0 | 1 | 2;
  // An empty value counts: it removes the configured address.
  if (env.NODE_IP !== undefined) overrides.nodeIP = env.NODE_IP;
  if (has('DRIVER_LOG')) overrides.debugMode = env.DRIVER_LOG === '1';
  if (env.SF_K8S_API_URL) overrides.k8sAPIURL = env.SF_K8S_API_URL;
  if (env.SF_K8S_API_CERT) overrides.k8sAPICert = env.SF_K8S_API_CERT;
  return overrides;
}

/** Applies the overrides to a configuration. */
export function withEnvironment(config: SysFlowConfig, env: Environment): SysFlowConfig {
  return { ...config, ...overridesOf(env) };
}
