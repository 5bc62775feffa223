import type { Finding, ReportedFinding, RuleLocation } from './finding.js';
import { ruleKey } from './fingerprint.js';
import { rankOf } from './levels.js';

/** The findings of one rule. */
export interface FindingGroup {
  rule: string;
  language: string;
  level: string;
  tags: readonly string[];
  author: string | undefined;
  location: RuleLocation;
  /** Findings that are not suppressed, and the events they count. */
  findings: number;
  events: number;
  suppressed: number;
  /** The first findings that are not suppressed. */
  examples: readonly ReportedFinding[];
}

/** Groups findings by rule and keeps the first of each as examples. */
export class FindingGroups {
  readonly #examples: number;
  readonly #groups = new Map<string, FindingGroup & { examples: ReportedFinding[] }>();

  constructor(examples: number) {
    this.#examples = examples;
  }

  add(finding: ReportedFinding): void {
    const group = this.#groupOf(finding);
    if (finding.suppression !== undefined) {
      group.suppressed += 1;
      return;
    }
    group.findings += 1;
    group.events += finding.count;
    if (group.examples.length < this.#examples) group.examples.push(finding);
  }

  of(rule: { rule: string; language: string; location: RuleLocation }): FindingGroup | undefined {
    return this.#groups.get(ruleKey(rule));
  }

  /**
   * Groups with unsuppressed findings: most severe first, then in the order of their first
   * findings.
   */
  sorted(): FindingGroup[] {
    return [...this.#groups.values()]
      .filter(({ findings }) => findings > 0)
      .map((group) => ({ group, rank: rankOf(group.level) }))
      .sort((one, other) => one.rank - other.rank)
      .map(({ group }) => group);
  }

  #groupOf(finding: ReportedFinding) {
    const key = ruleKey(finding);
    let group = this.#groups.get(key);
    if (group === undefined) {
      const { rule, language, level, tags, author, location } = finding;
      group = {
        rule,
        language,
        level,
        tags,
        author,
        location,
        findings: 0,
        events: 0,
        suppressed: 0,
        examples: [],
      };
      this.#groups.set(key, group);
    }
    return group;
  }
}

/**
 * Keeps the most severe of many findings: unsuppressed before suppressed, then by level, then the
 * first of every rule before the second of any, so that a noisy rule leaves room for others.
 */
export class LeadingFindings<
  Item extends Finding & Pick<ReportedFinding, 'suppression'> = ReportedFinding,
> {
  readonly #limit: number;
  readonly #ofRule = new Map<string, number>();
  #entries: { finding: Item; isSuppressed: boolean; rank: number; nth: number; place: number }[] =
    [];
  #total = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(finding: Item): void {
    const key = ruleKey(finding);
    const nth = this.#ofRule.get(key) ?? 0;
    this.#ofRule.set(key, nth + 1);
    const isSuppressed = finding.suppression !== undefined;
    this.#entries.push({
      finding,
      isSuppressed,
      rank: rankOf(finding.level),
      nth,
      place: this.#total++,
    });
    if (this.#entries.length >= 2 * this.#limit + 1000) this.#trim();
  }

  /** Number of findings added. */
  get total(): number {
    return this.#total;
  }

  /** The most severe first. */
  items(): Item[] {
    this.#trim();
    return this.#entries.map(({ finding }) => finding);
  }

  #trim(): void {
    this.#entries.sort(
      (one, other) =>
        Number(one.isSuppressed) - Number(other.isSuppressed) ||
        one.rank - other.rank ||
        one.nth - other.nth ||
        one.place - other.place,
    );
    this.#entries.length = Math.min(this.#entries.length, this.#limit);
  }
}
