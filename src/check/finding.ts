// What rules of every language find, and what became of each rule.

/** Something that a rule found in a capture. Texts are as captured: whoever shows them escapes them. */
export interface Finding {
  rule: string;
  /** The rule's own id, which stays when its name changes, where it has one. */
  ruleId?: string;
  /** Which language the rule is written in. */
  language: string;
  /** In the rule's own words, in lower case. */
  level: string;
  tags: readonly string[];
  /** Who wrote the rule, where its licence asks for the name. */
  author?: string;
  /** Where the rule stands. */
  location: RuleLocation;
  /** The input it was found in. */
  capture: string;
  /** Nanoseconds since 1970 of the event, the first of them where several were folded. */
  ts: string;
  /** Of the last event, where several were folded. */
  lastTs?: string;
  /** How many events this finding stands for. */
  count: number;
  pid?: number;
  tid: number;
  eventType: string;
  /** Its place among the event blocks of the file, from 1. */
  eventNumber: number;
  /** What the rule says. */
  output: string;
  /** The values that the rule's output names; null where they are missing. */
  fields: Readonly<Record<string, FieldValue>>;
  process?: FoundProcess;
  file?: FoundFile;
  connection?: FoundConnection;
  container?: FoundContainer;
}

/** A finding as check() gives it. */
export interface ReportedFinding extends Finding {
  /** What it is, without times and numbers of processes: the same in every run. Several in a run end in -2, -3, … */
  id: string;
  /** Why it does not count. */
  suppression?: Suppressed;
  /** The events of its thread around it, and its own. */
  evidence?: readonly EvidenceEvent[];
}

/** Where a suppression stands and what it says. */
export interface Suppressed {
  reason: string;
  /** The last day on which it holds, as YYYY-MM-DD. */
  expires?: string;
  location: RuleLocation;
}

export interface EvidenceEvent {
  /** Its place among the event blocks of the file, from 1. */
  number: number;
  /** Nanoseconds since 1970. */
  ts: string;
  eventType: string;
  /** What the event is about and its parameters; hidden characters are escaped. */
  text: string;
}

export type FieldValue = string | number | boolean | null | readonly (string | number | boolean)[];

export interface ProcessNames {
  pid: number;
  name?: string;
  /** As it was called, argv[0]. */
  exe?: string;
  exepath?: string;
  /** Its name and its arguments. */
  cmdline?: string;
}

export interface FoundProcess extends ProcessNames {
  cwd?: string;
  uid?: number;
  user?: string;
  loginuid?: number;
  /** The parent first. */
  ancestors: readonly ProcessNames[];
}

export interface FoundFile {
  path?: string;
  /** What a link or a rename makes of it. */
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

/** A rule as it was loaded. */
export interface Rule {
  name: string;
  /** Its own id, which stays when its name changes. */
  id?: string;
  language: string;
  level: string;
  tags: readonly string[];
  description: string;
  /** Whether it takes part, as its file or the user has it. */
  enabled: boolean;
  location: RuleLocation;
  /** Who wrote it, where its licence asks for the name. */
  author?: string;
  /** What it asks for that not every capture has. */
  needs: readonly string[];
}

/** What became of a rule that took part. */
export interface RuleOutcome {
  rule: Rule;
  /** unevaluated: it found nothing, and it could not have found all that it is about. */
  state: 'matched' | 'unmatched' | 'unevaluated';
  /** Why not all that the rule is about could be found. */
  reason?: string;
  /** Events that it matched. */
  matches: number;
  /** Of those the ones that are in no finding, because there were too many. */
  leftOut: number;
}

/** The reason of rules that matched nothing in a damaged capture. */
export const damagedReason = 'part of the capture is damaged, and what was lost cannot be asked about';

/** What is said about a rule file. */
export interface Diagnostic {
  severity: 'error' | 'warning';
  /** A name for programs; those of a language are its reference's. */
  code: string;
  message: string;
  file: string;
  /** From 1. */
  line: number;
  column: number;
  /** The line and, below it, a mark at the place. */
  snippet?: string;
}
