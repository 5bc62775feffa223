import { loadAddon } from '../../engine/addon.js';
import type { ReportedFinding, Rule, RuleLocation } from '../finding.js';
import { ruleKey } from '../fingerprint.js';
import { LeadingFindings } from '../groups.js';
import { levelOf } from '../levels.js';
import { limitRemarks, type Remark, remarkKinds, remarksOf } from '../remarks.js';
import type { RunReport } from '../report.js';
import { sarifLevel, securityScore } from '../severity.js';
import {
  connectionText,
  jsonOf,
  nearestEvents,
  oneLine,
  placeText,
  processText,
  truncate,
  UniqueNames,
} from '../text.js';
import { type AttackTaxon, attackTaxon } from './attack.js';
import type { FindingFormat } from './format.js';

// SARIF 2.1.0 within the limits of GitHub and GitLab. They reject files or skip results beyond
// their limits, so sfkit leaves out the rest and adds a notification that counts it.

/** Maximum results per run that both keep. */
const maxResults = 5000;
/** Maximum rules per run that both accept. */
const maxRules = 25_000;
/** Maximum file size: GitLab accepts 10 MB uncompressed. */
const maxBytes = 9_000_000;
const maxRuleBytes = 3_000_000;
/** Maximum notifications of each kind. */
const maxRemarks = 50;
/** Maximum UTF-16 units of a message or description, and of a name. */
const maxText = 1024;
const maxName = 255;
/** Maximum tags per rule that GitLab accepts. */
const maxTags = 10;
/** Maximum UTF-16 units of a text property of a result. */
const maxProperty = 300;
const maxAncestors = 8;
/** Characters kept from the end of a program's path. */
const maxPath = 130;
/** Maximum evidence events per finding, and maximum bytes for all of them. */
const maxSteps = 100;
const maxStepBytes = 2_000_000;

export const sarif: FindingFormat = {
  name: 'sarif',
  open(sink) {
    const leading = new LeadingFindings(maxResults);
    const counts = new Map<string, number>();
    return {
      async finding(finding) {
        leading.add(finding);
        counts.set(finding.rule, (counts.get(finding.rule) ?? 0) + 1);
      },
      async end(report) {
        await sink.write(new SarifLog(report, leading.items(), counts).text());
        await sink.close();
      },
    };
  },
};

class SarifLog {
  readonly #report: RunReport;
  readonly #findings: readonly ReportedFinding[];
  /** Findings of each rule, including those left out. */
  readonly #counts: ReadonlyMap<string, number>;
  readonly #rules: RuleList;
  readonly #lines = new Map<string, Set<number>>();
  #stepBytes = 0;

  constructor(
    report: RunReport,
    findings: readonly ReportedFinding[],
    counts: ReadonlyMap<string, number>,
  ) {
    this.#report = report;
    this.#findings = findings;
    this.#counts = counts;
    this.#rules = new RuleList(report.rules.map(({ rule }) => rule));
  }

  text(): string {
    const results = this.#results();
    this.#rules.addOthers(maxRuleBytes, maxRules);
    const { version } = loadAddon();
    const head = {
      tool: {
        driver: {
          name: 'sfkit',
          version,
          semanticVersion: version,
          rules: this.#rules.descriptors,
          notifications: Object.entries(remarkKinds).map(([id, text]) => ({
            id,
            shortDescription: { text },
          })),
          supportedTaxonomies: [{ name: taxonomyName, index: 0 }],
        },
      },
      automationDetails: { id: 'sfkit-check/' },
      columnKind: 'utf16CodeUnits',
      invocations: [this.#invocation(results)],
      taxonomies: [taxonomy(this.#rules.taxa)],
    };
    const run = jsonOf(head).slice(0, -1);
    const start = `{"$schema":${JSON.stringify(schema)},"version":"2.1.0","runs":[\n`;
    return `${start}${run},\n"results":[${results.map((result) => `\n${result}`).join(',')}]}]}\n`;
  }

  /** As many results as fit. */
  #results(): string[] {
    const results: string[] = [];
    let bytes = 0;
    for (const finding of this.#findings) {
      const text = jsonOf(this.#result(finding));
      bytes += Buffer.byteLength(text) + 2;
      if (bytes + this.#rules.bytes > maxBytes - maxRuleBytes) break;
      results.push(text);
    }
    return results;
  }

  #result(finding: ReportedFinding) {
    const { id, suppression, count } = finding;
    const { index, descriptor } = this.#rules.add(finding);
    const { uri, line } = this.#place(finding, descriptor.id);
    const related = relatedLocations(finding);
    return {
      ruleId: descriptor.id,
      ruleIndex: index,
      level: sarifLevel(finding.level),
      message: { text: messageText(finding, related.length > 0) },
      locations: [{ physicalLocation: { artifactLocation: { uri }, region: regionOf(line) } }],
      ...(related.length === 0 ? {} : { relatedLocations: related }),
      partialFingerprints: { primaryLocationLineHash: lineHash(id), 'sfkitFinding/v1': id },
      occurrenceCount: Math.min(count, 2 ** 31 - 1),
      ...(suppression === undefined
        ? {}
        : {
            suppressions: [
              {
                kind: 'external',
                status: 'accepted',
                justification: sarifText(suppression.reason, maxText),
              },
            ],
          }),
      ...this.#codeFlows(finding, uri, line),
      properties: propertiesOf(finding),
    };
  }

  /**
   * Location of a finding for services: the program, which is the same in every run, below a
   * separate folder, so that no captured path matches a file in the repository. The line number
   * encodes the finding, because GitLab merges two results of a rule on the same line.
   */
  #place(finding: ReportedFinding, ruleId: string): { uri: string; line: number } {
    const uri = locationPath(finding);
    const key = JSON.stringify([ruleId, uri]);
    const taken = this.#lines.get(key) ?? new Set();
    this.#lines.set(key, taken);
    let line = 1 + (Number.parseInt(finding.id.slice(0, 8), 16) % linesOfProgram);
    while (taken.has(line)) line = line === linesOfProgram ? 1 : line + 1;
    taken.add(line);
    return { uri, line };
  }

  /** The evidence as steps, while there is room. */
  #codeFlows(finding: ReportedFinding, uri: string, line: number) {
    const { evidence } = finding;
    if (evidence === undefined || this.#stepBytes > maxStepBytes) return {};
    const { start, end } = nearestEvents(finding, maxSteps);
    const locations = evidence.slice(start, end).map(({ number, text }) => ({
      location: {
        physicalLocation: { artifactLocation: { uri }, region: regionOf(line) },
        message: { text: sarifText(`event ${number}: ${text}`, maxProperty) },
      },
    }));
    this.#stepBytes += Buffer.byteLength(jsonOf(locations));
    return this.#stepBytes > maxStepBytes ? {} : { codeFlows: [{ threadFlows: [{ locations }] }] };
  }

  #invocation(results: readonly string[]) {
    const remarks = [
      ...this.#leftOut(results.length),
      ...limitRemarks(remarksOf(this.#report), maxRemarks),
    ];
    return {
      executionSuccessful: this.#report.failed.length === 0,
      toolExecutionNotifications: remarks.map(({ kind, level, text }) => ({
        descriptor: { id: kind },
        level,
        message: { text: sarifText(text, maxText) },
      })),
    };
  }

  #leftOut(shown: number): Remark[] {
    const left = new Map(this.#counts);
    for (const { rule } of this.#findings.slice(0, shown))
      left.set(rule, (left.get(rule) as number) - 1);
    const rules = [...left]
      .filter(([, count]) => count > 0)
      .sort(([, one], [, other]) => other - one);
    const total = rules.reduce((sum, [, count]) => sum + count, 0);
    if (total === 0) return [];
    const all = total + shown;
    const named = rules.slice(0, 20).map(([rule, count]) => `${count} of ${rule}`);
    const text = `the ${total} least severe of ${all} findings are left out: ${named.join(', ')}`;
    return [{ kind: 'findings-left-out', level: 'warning', text }];
  }
}

/** The evaluated rules; results refer to them by index. */
class RuleList {
  readonly descriptors: Descriptor[] = [];
  readonly taxa = new Map<string, AttackTaxon & { index: number }>();
  bytes = 0;
  readonly #rules = new Map<string, Rule>();
  readonly #places = new Map<string, number>();
  readonly #ids = new UniqueNames();

  constructor(rules: readonly Rule[]) {
    for (const rule of rules) this.#rules.set(ruleKey({ ...rule, rule: rule.name }), rule);
  }

  add(finding: ReportedFinding): { index: number; descriptor: Descriptor } {
    const key = ruleKey(finding);
    const known = this.#places.get(key);
    if (known !== undefined)
      return { index: known, descriptor: this.descriptors[known] as Descriptor };
    const described = this.#rules.get(key) ?? {
      ...finding,
      id: finding.ruleId,
      name: finding.rule,
      description: '',
    };
    return { index: this.descriptors.length, descriptor: this.#add(key, described) };
  }

  /** Adds rules without results, which services also show, while there is room. */
  addOthers(bytes: number, count: number): void {
    for (const [key, rule] of this.#rules) {
      if (this.bytes > bytes || this.descriptors.length >= count) return;
      if (!this.#places.has(key)) this.#add(key, rule);
    }
  }

  #add(key: string, rule: DescribedRule): Descriptor {
    const descriptor = this.#descriptor(rule);
    this.#places.set(key, this.descriptors.length);
    this.descriptors.push(descriptor);
    this.bytes += Buffer.byteLength(jsonOf(descriptor)) + 1;
    return descriptor;
  }

  #descriptor({ name, id, language, level, tags, description, location, author }: DescribedRule) {
    const title = sarifText(name, maxName) || 'rule without a name';
    const full = sarifText(description.trim().replace(/\s+/g, ' '), maxText) || title;
    const by = author === undefined ? '' : ` by ${author}`;
    const help = `${full} (rule of ${language}${by}, ${placeText(location)})`;
    const taxa = new Map(
      tags.flatMap((tag) => attackTaxon(tag) ?? []).map((taxon) => [taxon.id, taxon]),
    );
    const shown = tags
      .map((tag) => sarifText(tag, 100))
      .filter((tag) => tag !== '' && tag !== 'security');
    return {
      // If two rules have the same name, the second gets a number.
      id: this.#ids.take(title, maxName),
      name: title,
      shortDescription: { text: title },
      fullDescription: { text: full },
      help: { text: sarifText(help, maxText) },
      defaultConfiguration: { level: sarifLevel(level) },
      ...(taxa.size === 0
        ? {}
        : { relationships: this.#relationships([...taxa.values()].slice(0, maxTags)) }),
      properties: {
        tags: ['security', ...new Set(shown)].slice(0, maxTags),
        'security-severity': securityScore(level),
        precision: precisionOf(tags),
        level: levelOf(level) ?? 'debug',
        ...(id === undefined ? {} : { ruleId: sarifText(id, maxName) }),
      },
    };
  }

  #relationships(taxa: readonly AttackTaxon[]) {
    return taxa.map((taxon) => {
      const known = this.taxa.get(taxon.id) ?? { ...taxon, index: this.taxa.size };
      this.taxa.set(taxon.id, known);
      const target = {
        id: taxon.id,
        index: known.index,
        toolComponent: { name: taxonomyName, index: 0 },
      };
      return { target, kinds: ['relevant'] };
    });
  }
}

type DescribedRule = Pick<
  Rule,
  'name' | 'language' | 'level' | 'tags' | 'description' | 'location' | 'author'
> & {
  id?: string | undefined;
};
type Descriptor = { id: string } & Record<string, unknown>;

const schema = 'https://json.schemastore.org/sarif-2.1.0.json';
const taxonomyName = 'MITRE ATT&CK';
/** Line numbers that encode findings: short enough to read, enough to make collisions rare. */
const linesOfProgram = 1_000_000;

function taxonomy(taxa: ReadonlyMap<string, AttackTaxon>) {
  return {
    name: taxonomyName,
    organization: 'MITRE',
    informationUri: 'https://attack.mitre.org/',
    shortDescription: { text: 'Tactics and techniques of adversaries' },
    isComprehensive: false,
    taxa: [...taxa.values()].map(({ id, name, uri }) => ({
      id,
      ...(name === undefined ? {} : { name }),
      helpUri: uri,
    })),
  };
}

/** Confidence that the rule's maturity tags express. */
function precisionOf(tags: readonly string[]): string {
  if (tags.includes('maturity_stable')) return 'high';
  return tags.includes('maturity_sandbox') || tags.includes('maturity_deprecated')
    ? 'low'
    : 'medium';
}

/**
 * Removes links and placeholders from a text: [text](target) becomes [text] (target), and {0}
 * becomes {{0}}, the escape that the specification defines.
 */
function sarifText(text: string, maxLength: number): string {
  const line = oneLine(text.slice(0, 2 * maxLength));
  return truncate(
    line
      .replaceAll('](', '] (')
      .replace(/\{(?=\d+\})/g, '{{')
      .replace(/(?<=\{\{\d+)\}/g, '}}'),
    maxLength,
  );
}

function messageText({ output, rule, author }: ReportedFinding, hasRule: boolean): string {
  const by = author === undefined ? '' : ` (rule by ${sarifText(author, 100)})`;
  const link = `${by}${hasRule ? ' ([rule](1))' : ''}`;
  const text = sarifText(output, maxText - link.length) || sarifText(rule, maxText - link.length);
  return `${text}${link}`;
}

/** Format of GitHub's upload action: a hash, and a counter for results with the same hash. */
function lineHash(id: string): string {
  const [hash, nth = '1'] = id.split('-');
  return `${hash}:${nth}`;
}

function regionOf(line: number) {
  return { startLine: line, startColumn: 1, endLine: line, endColumn: 2 };
}

/** The program or another name of the process, such as captured/usr/bin/curl. */
function locationPath({ process, container }: ReportedFinding): string {
  const name = process?.exepath || process?.exe || process?.name || container?.image || 'unknown';
  const path = encodedPath(name.slice(-maxPath));
  return `captured/${path === '' ? 'unknown' : path}`;
}

/** A relative path as part of a URI. */
function encodedPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  return parts.map(encoded).join('/');
}

function encoded(part: string): string {
  // Replaces lone surrogates, for which encodeURIComponent() throws.
  const whole = Buffer.from(part).toString();
  return encodeURIComponent(whole).replace(
    /['()*!]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
}

/** The rule, if its file is in the repository. */
function relatedLocations({ location }: ReportedFinding) {
  const uri = repositoryPath(location);
  if (uri === undefined) return [];
  const physicalLocation = { artifactLocation: { uri }, region: regionOf(location.line) };
  return [{ id: 1, physicalLocation, message: { text: 'rule' } }];
}

/** A path below the current directory; undefined for others. */
function repositoryPath({ file }: RuleLocation): string | undefined {
  const isOutside = file.startsWith('/') || file.split('/').includes('..');
  const path = encodedPath(file);
  return isOutside || path === '' ? undefined : path;
}

function propertiesOf({
  ruleId,
  ts,
  capture,
  eventNumber,
  eventType,
  pid,
  process,
  file,
  connection,
  container,
  ...rest
}: ReportedFinding) {
  const short = (text: string | undefined) =>
    text === undefined ? undefined : truncate(oneLine(text), maxProperty);
  return {
    ruleId: ruleId && sarifText(ruleId, maxName),
    ts,
    capture: short(capture),
    eventNumber,
    eventType,
    pid,
    tid: rest.tid,
    process: short(process?.cmdline),
    ancestors: process?.ancestors.slice(0, maxAncestors).map((one) => short(processText(one))),
    file: short(file?.path),
    target: short(file?.target),
    connection: connection && short(connectionText(connection)),
    container: short(container?.name ?? container?.id),
    image: short(container?.image),
  };
}
