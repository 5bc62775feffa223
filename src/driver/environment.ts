import { booleanOf, booleanWords } from '../engine/boolean.js';
import type { Environment } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';
import { SysFlowError } from '../engine/sysflow-errors.js';
import { variableTable } from '../engine/variables.gen.js';
import { isWebAddress, type SysFlowConfig } from './config.js';

/** Gets messages about variables with a wrong value. */
export type WarnOfVariable = (message: string) => void;

/** What variables ask for besides fields of the configuration. */
export interface EnvironmentSettings {
  /** Directory with the files of the host, for a process in a container. */
  hostRoot?: string | undefined;
  /** File of an eBPF probe that driverType EBPF checks. */
  bpfProbe?: string | undefined;
}

/**
 * The settings of the environment, as native/tables/variables.json has them. As in the collector, a
 * wrong value of a switch means off, and ENABLE_STATS only switches on; other wrong values are
 * ignored. `warn` gets a message about each wrong value.
 */
export function readEnvironment(
  env: Environment,
  warn: WarnOfVariable = () => {},
): Partial<SysFlowConfig> & EnvironmentSettings {
  const settings: Record<string, boolean | number | string> = {};
  for (const variable of variableTable) {
    const { name, kind, setting } = variable;
    const text = env[name];
    if (text === undefined) continue;
    const wrong = (expected: string, effect: string) =>
      warn(`${name}='${shown(text)}' in the environment: expected ${expected}; ${effect}`);
    if (kind === 'switch' || kind === 'only-on') {
      const value = booleanOf(text);
      if (value === undefined) wrong(booleanWords, 'it counts as off');
      if (value || kind === 'switch') settings[setting] = value ?? false;
    } else if (kind === 'number') {
      const { max, expected } = variable;
      if (/^\d$/.test(text) && Number(text) <= max) settings[setting] = Number(text);
      else if (text !== '') wrong(expected, 'it is ignored');
    } else if (text !== '' || kind === 'text') {
      settings[setting] = text;
    }
  }
  return settings as Partial<SysFlowConfig> & EnvironmentSettings;
}

/**
 * Applies the settings of the environment to a configuration. A wrong SF_K8S_API_URL is an error if the configuration
 * asks for Kubernetes; otherwise it is ignored with a warning.
 */
export function withEnvironment(
  config: SysFlowConfig,
  env: Environment,
  warn: WarnOfVariable = () => {},
): { config: SysFlowConfig } & EnvironmentSettings {
  const { hostRoot, bpfProbe, ...overrides } = readEnvironment(env, warn);
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
  return { config: { ...config, ...overrides }, hostRoot, bpfProbe };
}

function shown(text = ''): string {
  return escapeForTerminal(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
