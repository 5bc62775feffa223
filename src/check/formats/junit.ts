import type { ReportedFinding, RuleOutcome } from '../finding.js';
import { type FindingGroup, FindingGroups } from '../groups.js';
import { plural, remarksOf, shortRemarks } from '../remarks.js';
import type { RunReport } from '../report.js';
import { captureText, cut, eventText, oneLine, placeText, subjectLines, UniqueNames } from '../text.js';
import type { FindingFormat } from './format.js';

// JUnit's XML, as CI services read it: a test case for each rule, so that green is a number too. A rule that found
// something failed; one that could not be evaluated was skipped.

const mostExamples = 20;
const mostText = 1000;
const mostName = 255;
const mostReason = 300;
/** Bytes of a file: GitLab takes 30 MB. Every rule has its test case; what it found is said while there is room. */
const mostBytes = 28_000_000;
const mostRemarks = 100;

export const junit: FindingFormat = {
  name: 'junit',
  open(sink) {
    const groups = new FindingGroups(mostExamples);
    return {
      finding: async (finding) => groups.add(finding),
      async end(report) {
        for (const part of document(report, groups)) await sink.write(part);
        await sink.close();
      },
    };
  },
};

function* document(report: RunReport, groups: FindingGroups): Generator<string> {
  const { rules, failed, captures } = report;
  const names = new UniqueNames();
  const failures = rules.filter((outcome) => (groupOf(outcome, groups)?.findings ?? 0) > 0).length;
  const skipped = rules.filter(({ state }) => state === 'unevaluated').length;
  const counts = attributes({
    tests: String(rules.length + failed.length),
    failures: String(failures),
    errors: String(failed.length),
    skipped: String(skipped),
  });
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${counts}>\n<testsuite name="sfkit check"${counts}>\n`;
  yield element('properties', '', captures.map(({ capture }) => property('capture', captureText(capture))).join(''));
  const cases = rules.map((outcome) => caseOf(outcome, groupOf(outcome, groups), names));
  let room = mostBytes - cases.reduce((bytes, { head, short }) => bytes + Buffer.byteLength(head + short), 0);
  for (const { head, short, long } of cases) {
    const whole = room > 0 ? long() : short;
    room -= Buffer.byteLength(whole);
    yield element('testcase', head, room < 0 ? short : whole);
  }
  for (const { capture, message } of failed) {
    const name = attributes({ classname: 'sfkit.captures', name: unique(shortened(capture, mostName), names) });
    yield element('testcase', name, element('error', attributes({ message: shortened(message) }), ''));
  }
  const remarks = shortRemarks(remarksOf(report), mostRemarks);
  if (remarks.length > 0)
    yield element('system-err', '', xml(remarks.map(({ text }) => `${shortened(text)}\n`).join('')));
  yield '</testsuite>\n</testsuites>\n';
}

function groupOf({ rule }: RuleOutcome, groups: FindingGroups): FindingGroup | undefined {
  return groups.of({ ...rule, rule: rule.name });
}

/** A test case: its attributes, and what is in it where there is room and where there is not. */
function caseOf(outcome: RuleOutcome, group: FindingGroup | undefined, names: UniqueNames) {
  const { rule, state, reason } = outcome;
  const title = shortened(rule.name.trim(), mostName) || 'rule without a name';
  const name = unique(title, names, shortened(placeText(rule.location), mostName));
  const head = attributes({ classname: `sfkit.${rule.language}`, name, file: shortened(rule.location.file, mostName) });
  const { findings = 0, suppressed = 0 } = group ?? {};
  const foot = suppressed > 0 ? element('system-out', '', `${plural(suppressed, 'suppressed finding')}\n`) : '';
  if (group !== undefined && findings > 0)
    return { head, short: shortFailure(group) + foot, long: () => failureText(group, reason) + foot };
  const whole =
    state === 'unevaluated' ? element('skipped', attributes({ message: shortened(reason ?? '', mostReason) }), '') : '';
  return { head, short: whole + foot, long: () => whole + foot };
}

function shortFailure({ findings, events, level }: FindingGroup): string {
  const message = `${plural(findings, 'finding')}, ${plural(events, 'event')}`;
  return element('failure', attributes({ message, type: level }), '');
}

function failureText(group: FindingGroup, reason: string | undefined): string {
  const { level, findings, events, examples, location, author } = group;
  const message = `${plural(findings, 'finding')}, ${plural(events, 'event')}: ${examples[0]?.output ?? ''}`;
  const more = findings - examples.length;
  const lines = [
    `rule of ${placeText(location)}${author === undefined ? '' : ` by ${author}`}`,
    ...(reason === undefined ? [] : [`evaluated in part: ${reason}`]),
    ...examples.flatMap(exampleLines),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
  const text = lines.map((line) => `${shortened(line)}\n`).join('');
  return element('failure', attributes({ message: shortened(message), type: level }), xml(text));
}

function exampleLines(finding: ReportedFinding): string[] {
  return [
    `- ${eventText(finding)}`,
    ...[...subjectLines(finding), ['output', finding.output]].map(([name, text]) => `  ${name}: ${text}`),
  ];
}

/** Readers drop the second test case of a name. */
function unique(name: string, names: UniqueNames, place = ''): string {
  return names.take(names.has(name) && place !== '' ? `${name} (${place})` : name, 2 * mostName + 3);
}

function shortened(text: string, most = mostText): string {
  return cut(oneLine(text), most);
}

function property(name: string, value: string): string {
  return element('property', attributes({ name, value: shortened(value) }), '');
}

function element(name: string, head: string, body: string): string {
  return body === '' ? `<${name}${head}/>\n` : `<${name}${head}>${body}</${name}>\n`;
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${xml(value)}"`)
    .join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Of text without hidden characters, which XML does not allow or readers change. */
function xml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => entities[sign] as string);
}
