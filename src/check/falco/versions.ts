/** The Falco engine version that sfkit implements. Newer rules may mean something else. */
export const engineVersion = [0, 62, 0] as const;

export type Version = readonly number[];

/** The three numbers at the start of a version; undefined if it has none. */
export function parseVersion(text: string): Version | undefined {
  const [, ...numbers] = /^\s*(\d{1,9})\.(\d{1,9})\.(\d{1,9})/.exec(text) ?? [];
  return numbers.length === 3 ? numbers.map(Number) : undefined;
}

/**
 * Whether the available version satisfies the required one: the same major version, and not older.
 */
export function isCompatible(available: Version, required: Version): boolean {
  const [major = 0, minor = 0, patch = 0] = available;
  const [requiredMajor = 0, requiredMinor = 0, requiredPatch = 0] = required;
  if (major !== requiredMajor) return false;
  return minor !== requiredMinor ? minor > requiredMinor : patch >= requiredPatch;
}

export function isCompatibleEngine(required: Version): boolean {
  return isCompatible(engineVersion, required);
}
