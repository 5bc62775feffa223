import { loadAddon } from '../../engine/addon.js';
import type { ReportedFinding, Rule, RuleLocation } from '../finding.js';
import { ruleKey } from '../fingerprint.js';
import { LeadingFindings } from '../groups.js';
import { levelOf } from '../levels.js';
import { type Remark, remarkKinds, remarksOf, shortRemarks } from '../remarks.js';
import type { RunReport } from '../report.js';
import { sarifLevel, securityScore } from '../severity.js';
import { connectionText, cut, jsonOf, nearestEvents, oneLine, placeText, processText, UniqueNames } from '../text.js';
import { type AttackTaxon, attackTaxon } from './attack.js';
import type { FindingFormat } from './format.js';

// SARIF 2.1.0 as GitHub and GitLab take it: what is too much or too long for them makes them refuse the file or skip a
// result, and so is left out here, with a notification that says how much.

/** Results of a run that both keep. */
const mostResults = 5000;
/** Rules of a run that both take. */
const mostRules = 25_000;
/** Bytes of a file: GitLab takes 10 MB as it is. */
const mostBytes = 9_000_000;
const mostRuleBytes = 3_000_000;
/** Notifications of each kind, so that the whole stays small. */
const mostRemarks = 50;
/** UTF-16 units of a message and a description, and of a name. */
const mostText = 1024;
const mostName = 255;
/** Tags that GitLab takes of a rule. */
const mostTags = 10;
/** UTF-16 units of texts among the properties of a result. */
const mostProperty = 300;
const mostAncestors = 8;
/** Characters at the end of a program's path that say which it is. */
const mostPath = 130;
/** Events around a finding, and bytes of all of them. */
const mostSteps = 100;
const mostStepBytes = 2_000_000;

export const sarif: FindingFormat = {
  name: 'sarif',
  open(sink) {
    const leading = new LeadingFindings(mostResults);
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
  /** Findings of each rule, those that are left out included. */
  readonly #counts: ReadonlyMap<string, number>;
  readonly #rules: RuleList;
  readonly #lines = new Map<string, Set<number>>();
  #stepBytes = 0;

  constructor(report: RunReport, findings: readonly ReportedFinding[], counts: ReadonlyMap<string, number>) {
    this.#report = report;
    this.#findings = findings;
    this.#counts = counts;
    this.#rules = new RuleList(report.rules.map(({ rule }) => rule));
  }

  text(): string {
    const results = this.#results();
    this.#rules.addOthers(mostRuleBytes, mostRules);
    const { version } = loadAddon();
    const head = {
      tool: {
        driver: {
          name: 'sfkit',
          version,
          semanticVersion: version,
          rules: this.#rules.descriptors,
          notifications: Object.entries(remarkKinds).map(([id, text]) => ({ id, shortDescription: { text } })),
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

  /** As many as there is room for. */
  #results(): string[] {
    const results: string[] = [];
    let bytes = 0;
    for (const finding of this.#findings) {
      const text = jsonOf(this.#result(finding));
      bytes += Buffer.byteLength(text) + 2;
      if (bytes + this.#rules.bytes > mostBytes - mostRuleBytes) break;
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
              { kind: 'external', status: 'accepted', justification: sarifText(suppression.reason, mostText) },
            ],
          }),
      ...this.#codeFlows(finding, uri, line),
      properties: propertiesOf(finding),
    };
  }

  /**
   * Where services put the finding: the program, as it is the same in every run. Below a folder of its own, so that no
   * captured path is that of a file in the repository. The line stands for the finding: GitLab takes two results of a
   * rule on the same line for one.
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

  /** The events around a finding as steps, while there is room. */
  #codeFlows(finding: ReportedFinding, uri: string, line: number) {
    const { evidence } = finding;
    if (evidence === undefined || this.#stepBytes > mostStepBytes) return {};
    const { start, end } = nearestEvents(finding, mostSteps);
    const locations = evidence.slice(start, end).map(({ number, text }) => ({
      location: {
        physicalLocation: { artifactLocation: { uri }, region: regionOf(line) },
        message: { text: sarifText(`event ${number}: ${text}`, mostProperty) },
      },
    }));
    this.#stepBytes += Buffer.byteLength(jsonOf(locations));
    return this.#stepBytes > mostStepBytes ? {} : { codeFlows: [{ threadFlows: [{ locations }] }] };
  }

  #invocation(results: readonly string[]) {
    const remarks = [...this.#leftOut(results.length), ...shortRemarks(remarksOf(this.#report), mostRemarks)];
    return {
      executionSuccessful: this.#report.failed.length === 0,
      toolExecutionNotifications: remarks.map(({ kind, level, text }) => ({
        descriptor: { id: kind },
        level,
        message: { text: sarifText(text, mostText) },
      })),
    };
  }

  #leftOut(shown: number): Remark[] {
    const left = new Map(this.#counts);
    for (const { rule } of this.#findings.slice(0, shown)) left.set(rule, (left.get(rule) as number) - 1);
    const rules = [...left].filter(([, count]) => count > 0).sort(([, one], [, other]) => other - one);
    const total = rules.reduce((sum, [, count]) => sum + count, 0);
    if (total === 0) return [];
    const all = total + shown;
    const named = rules.slice(0, 20).map(([rule, count]) => `${count} of ${rule}`);
    const text = `${total} of ${all} findings are left out, the least severe ones: ${named.join(', ')}`;
    return [{ kind: 'findings-left-out', level: 'warning', text }];
  }
}

/** Rules that took part, in the order in which results refer to them. */
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
    if (known !== undefined) return { index: known, descriptor: this.descriptors[known] as Descriptor };
    const described = this.#rules.get(key) ?? { ...finding, id: finding.ruleId, name: finding.rule, description: '' };
    return { index: this.descriptors.length, descriptor: this.#add(key, described) };
  }

  /** Those without results, which the services show as well, while there is room. */
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
    const title = sarifText(name, mostName) || 'rule without a name';
    const full = sarifText(description.trim().replace(/\s+/g, ' '), mostText) || title;
    const by = author === undefined ? '' : ` by ${author}`;
    const help = `${full} (rule of ${language}${by}, ${placeText(location)})`;
    const taxa = new Map(tags.flatMap((tag) => attackTaxon(tag) ?? []).map((taxon) => [taxon.id, taxon]));
    const shown = tags.map((tag) => sarifText(tag, 100)).filter((tag) => tag !== '' && tag !== 'security');
    return {
      // If two rules have the same name, the second gets a number.
      id: this.#ids.take(title, mostName),
      name: title,
      shortDescription: { text: title },
      fullDescription: { text: full },
      help: { text: sarifText(help, mostText) },
      defaultConfiguration: { level: sarifLevel(level) },
      ...(taxa.size === 0 ? {} : { relationships: this.#relationships([...taxa.values()].slice(0, mostTags)) }),
      properties: {
        tags: ['security', ...new Set(shown)].slice(0, mostTags),
        'security-severity': securityScore(level),
        precision: precisionOf(tags),
        level: levelOf(level) ?? 'debug',
        ...(id === undefined ? {} : { ruleId: sarifText(id, mostName) }),
      },
    };
  }

  #relationships(taxa: readonly AttackTaxon[]) {
    return taxa.map((taxon) => {
      const known = this.taxa.get(taxon.id) ?? { ...taxon, index: this.taxa.size };
      this.taxa.set(taxon.id, known);
      const target = { id: taxon.id, index: known.index, toolComponent: { name: taxonomyName, index: 0 } };
      return { target, kinds: ['relevant'] };
    });
  }
}

type DescribedRule = Pick<Rule, 'name' | 'language' | 'level' | 'tags' | 'description' | 'location' | 'author'> & {
  id?: string | undefined;
};
type Descriptor = { id: string } & Record<string, unknown>;

const schema = 'https://json.schemastore.org/sarif-2.1.0.json';
const taxonomyName = 'MITRE ATT&CK';
/** Lines that stand for findings: few enough to be read, enough for two to be the same by chance only. */
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

/** As sure as its authors are of it. */
function precisionOf(tags: readonly string[]): string {
  if (tags.includes('maturity_stable')) return 'high';
  return tags.includes('maturity_sandbox') || tags.includes('maturity_deprecated') ? 'low' : 'medium';
}

/**
 * A text in which viewers find no link and no placeholder: [text](target) becomes [text] (target), and {0} is doubled as
 * the specification has it.
 */
function sarifText(text: string, most: number): string {
  const line = oneLine(text.slice(0, 2 * most));
  return cut(
    line
      .replaceAll('](', '] (')
      .replace(/\{(?=\d+\})/g, '{{')
      .replace(/(?<=\{\{\d+)\}/g, '}}'),
    most,
  );
}

function messageText({ output, rule, author }: ReportedFinding, hasRule: boolean): string {
  const by = author === undefined ? '' : ` (rule by ${sarifText(author, 100)})`;
  const link = `${by}${hasRule ? ' ([rule](1))' : ''}`;
  const text = sarifText(output, mostText - link.length) || sarifText(rule, mostText - link.length);
  return `${text}${link}`;
}

/** As the action that uploads SARIF makes them: a hash, and which of several with the same. */
function lineHash(id: string): string {
  const [hash, nth = '1'] = id.split('-');
  return `${hash}:${nth}`;
}

function regionOf(line: number) {
  return { startLine: line, startColumn: 1, endLine: line, endColumn: 2 };
}

/** captured/usr/bin/curl: the program, or what else names a process. */
function locationPath({ process, container }: ReportedFinding): string {
  const name = process?.exepath || process?.exe || process?.name || container?.image || 'unknown';
  const path = encodedPath(name.slice(-mostPath));
  return `captured/${path === '' ? 'unknown' : path}`;
}

/** A relative path as part of an address. */
function encodedPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  return parts.map(encoded).join('/');
}

function encoded(part: string): string {
  // Of half a character, at which encodeURIComponent() throws, this makes a whole one.
  const whole = Buffer.from(part).toString();
  return encodeURIComponent(whole).replace(/['()*!]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
}

/** The rule, where it is part of what was checked out. */
function relatedLocations({ location }: ReportedFinding) {
  const uri = repositoryPath(location);
  if (uri === undefined) return [];
  const physicalLocation = { artifactLocation: { uri }, region: regionOf(location.line) };
  return [{ id: 1, physicalLocation, message: { text: 'rule' } }];
}

/** A path below the directory in which sfkit runs; undefined for others. */
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
  const short = (text: string | undefined) => (text === undefined ? undefined : cut(oneLine(text), mostProperty));
  return {
    ruleId: ruleId && sarifText(ruleId, mostName),
    ts,
    capture: short(capture),
    eventNumber,
    eventType,
    pid,
    tid: rest.tid,
    process: short(process?.cmdline),
    ancestors: process?.ancestors.slice(0, mostAncestors).map((one) => short(processText(one))),
    file: short(file?.path),
    target: short(file?.target),
    connection: connection && short(connectionText(connection)),
    container: short(container?.name ?? container?.id),
    image: short(container?.image),
  };
}
