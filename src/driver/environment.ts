import { booleanOf, booleanWords } from '../engine/boolean.js';
import type { Environment } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';
import { SysFlowError } from '../engine/sysflow-errors.js';
import { isWebAddress, type SysFlowConfig } from './config.js';

/** Gets messages about variables with a wrong value. */
export type WarnOfVariable = (message: string) => void;

/**
 * The fields that variables override. Switches are 1, true, yes, or 0, false, no, in any case. As
 * in the collector, another value of a switch means off, and ENABLE_STATS only switches on; other
 * wrong values are ignored. `warn` gets a message about each wrong value.
 */
export function overridesOf(
  env: Environment,
  warn: WarnOfVariable = () => {},
): Partial<SysFlowConfig> {
  const overrides: Partial<SysFlowConfig> = {};
  const wrong = (name: string, expected: string, effect: string) =>
    warn(`${name}='${shown(env[name])}' in the environment: expected ${expected}; ${effect}`);
  const switchOf = (name: string): boolean | undefined => {
    const text = env[name];
    if (text === undefined) return undefined;
    const value = booleanOf(text);
    if (value === undefined) wrong(name, booleanWords, 'it counts as off');
    return value ?? false;
  };
  if (switchOf('ENABLE_STATS')) overrides.enableStats = true;
  const switches = {
    ENABLE_DROP_MODE: 'dropMode',
    FILE_ONLY: 'fileOnly',
    ENABLE_PROC_FLOW: 'enableProcessFlow',
    DRIVER_LOG: 'debugMode',
  } as const;
  for (const [name, field] of Object.entries(switches)) {
    const value = switchOf(name);
    if (value !== undefined) overrides[field] = value;
  }
  const mode = { '0': 0, '1': 1, '2': 2 }[env.FILE_READ_MODE ?? ''];
  if (mode !== undefined) overrides.fileReadMode = mode as 0 | 1 | 2;
  else if (env.FILE_READ_MODE) wrong('FILE_READ_MODE', '0, 1 or 2', 'it is ignored');
  // An empty value counts: it removes the configured address.
  if (env.NODE_IP !== undefined) overrides.nodeIP = env.NODE_IP;
  if (env.SF_K8S_API_URL) overrides.k8sAPIURL = env.SF_K8S_API_URL;
  if (env.SF_K8S_API_CERT) overrides.k8sAPICert = env.SF_K8S_API_CERT;
  return overrides;
}

/**
 * Applies the overrides to a configuration. A wrong SF_K8S_API_URL is an error if the configuration
 * asks for Kubernetes; otherwise it is ignored with a warning.
 */
export function withEnvironment(
  config: SysFlowConfig,
  env: Environment,
  warn: WarnOfVariable = () => {},
): SysFlowConfig {
  const overrides = overridesOf(env, warn);
  if (overrides.k8sAPIURL !== undefined && !isWebAddress(overrides.k8sAPIURL)) {
    const message = `SF_K8S_API_URL='${shown(env.SF_K8S_API_URL)}' in the environment: expected an http or https URL`;
    if (config.k8sAPIURL) {
      throw new SysFlowError('LibsError', message, {
        cause: new SfkitError('INVALID_ARGUMENT', message),
      });
    }
    warn(`${message}; it is ignored`);
    delete overrides.k8sAPIURL;
  }
  return { ...config, ...overrides };
}

function shown(text = ''): string {
  return escapeForTerminal(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
