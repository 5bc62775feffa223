// Findings and rule outcomes, the same for all rule languages.

/** A match of a rule in a capture. Texts are as captured: escape them before you display them. */
export interface Finding {
  rule: string;
  /** Id from the rule file, if it has one. It stays the same when the rule is renamed. */
  ruleId?: string;
  /** Language of the rule. */
  language: string;
  /** Level as the rule states it, in lower case. */
  level: string;
  tags: readonly string[];
  /** Author of the rule, if its license requires attribution. */
  author?: string;
  /** Location of the rule. */
  location: RuleLocation;
  /** Input that contains the match. */
  capture: string;
  /**
   * Time of the event in nanoseconds since 1970; of the first event if the finding counts several.
   */
  ts: string;
  /** Time of the last event if the finding counts several. */
  lastTs?: string;
  /** Number of events that this finding counts. */
  count: number;
  pid?: number;
  tid: number;
  eventType: string;
  /** Number of the event block in the file, from 1. */
  eventNumber: number;
  /** Output text of the rule. */
  output: string;
  /** Values of the fields in the rule's output; null if missing. */
  fields: Readonly<Record<string, FieldValue>>;
  process?: FoundProcess;
  file?: FoundFile;
  connection?: FoundConnection;
  container?: FoundContainer;
}

/** A finding as check() reports it. */
export interface ReportedFinding extends Finding {
  /**
   * The same in every run: independent of times and process ids. Repeats within a run end in -2,
   * -3, …
   */
  id: string;
  /** Set if a suppression matches the finding. */
  suppression?: Suppressed;
  /** Events of its thread around the finding, including its own. */
  evidence?: readonly EvidenceEvent[];
}

/** The suppression that matches a finding. */
export interface Suppressed {
  reason: string;
  /** Last day on which it applies, as YYYY-MM-DD. */
  expires?: string;
  location: RuleLocation;
}

export interface EvidenceEvent {
  /** Number of the event block in the file, from 1. */
  number: number;
  /** Nanoseconds since 1970. */
  ts: string;
  eventType: string;
  /** Subject and parameters of the event; hidden characters are escaped. */
  text: string;
}

export type FieldValue = string | number | boolean | null | readonly (string | number | boolean)[];

export interface ProcessNames {
  pid: number;
  name?: string;
  /** argv[0]. */
  exe?: string;
  exepath?: string;
  /** Name and arguments. */
  cmdline?: string;
}

export interface FoundProcess extends ProcessNames {
  cwd?: string;
  uid?: number;
  user?: string;
  loginuid?: number;
  /** Parent first. */
  ancestors: readonly ProcessNames[];
}

export interface FoundFile {
  path?: string;
  /** New path of a link or rename. */
  target?: string;
}

export interface FoundConnection {
  protocol: string;
  /** Of a unix socket. */
  name?: string;
  client?: Endpoint;
  server?: Endpoint;
}

export interface Endpoint {
  ip: string;
  port: number;
}

export interface FoundContainer {
  id?: string;
  name?: string;
  image?: string;
  type?: string;
  namespace?: string;
  pod?: string;
}

export interface RuleLocation {
  file: string;
  /** From 1. */
  line: number;
}

/** A loaded rule. */
export interface Rule {
  name: string;
  /** Id from the rule file. It stays the same when the rule is renamed. */
  id?: string;
  language: string;
  level: string;
  tags: readonly string[];
  description: string;
  /** Whether the rule is switched on, by its file or by the user. */
  enabled: boolean;
  location: RuleLocation;
  /** Author, if the license requires attribution. */
  author?: string;
  /** Data that the rule uses and not every capture has. */
  needs: readonly string[];
}

/** Result of an evaluated rule. */
export interface RuleOutcome {
  rule: Rule;
  /** unevaluated: no matches, but the rule could not see everything it looks for. */
  state: 'matched' | 'unmatched' | 'unevaluated';
  /** Why the rule could not see everything it looks for. */
  reason?: string;
  /** Number of matching events. */
  matches: number;
  /** Matching events that no finding counts, because there were too many. */
  leftOut: number;
}

/** Reason for rules without matches in a damaged capture. */
export const damagedReason = 'part of the capture is damaged, and rules cannot see what was lost';

/** Reason for rules without matches if the engine forgot part of its state. */
export const forgottenReason =
  'the engine forgot threads, descriptors or names to stay within --max-memory, and rules cannot see those';

/** An error or a warning about a rule file. */
export interface Diagnostic {
  severity: 'error' | 'warning';
  /** Machine-readable name. Falco rules use Falco's names. */
  code: string;
  message: string;
  file: string;
  /** From 1. */
  line: number;
  column: number;
  /** The line and, below it, a caret under the column. */
  snippet?: string;
}
