import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import { chosenRules, readRules, verifyRules } from '../check/check.js';
import { checkCaptures, type RunReport } from '../check/report.js';
import {
  checkFlags,
  type FormatOutput,
  failLevel,
  formatOutputs,
  ruleSwitches,
  suppressionsOf,
} from '../cli/check-flags.js';
import { diagnosticsText, listText, validationText } from '../cli/check-listing.js';
import { checkSummary, FindingCount, strictText } from '../cli/check-summary.js';
import { maxMemoryOf } from '../cli/collector-flags.js';
import { standardOutput } from '../cli/pager.js';
import { exitCodes, explain } from '../cli/report.js';
import { refuseTerminalInput } from '../cli/standard-input.js';
import { isPartial } from '../cli/summary.js';
import { standardScreen } from '../draw/screen.js';
import type { Screen } from '../draw/types.js';
import { SfkitError } from '../engine/errors.js';
import { type ByteSink, openSink } from '../output/sink.js';

export default class Check extends Command {
  static override summary = 'Evaluate rules on captures and list the findings.';

  static override description =
    `sfkit recognizes four rule languages. It evaluates Falco rules on the events of captures; existing rule files work unchanged, with lists, macros, exceptions, append and override. It evaluates policies of the SysFlow processor, Sigma rules for Linux, and SQL on records: of captures, SysFlow files and tables.

A finding has the rule, its level and output, the event, the process with its ancestors, the file or connection, and the container. sfkit counts a repeated finding instead of listing it again, unless --all is given. Two findings are the same if they have the same rule and output, apart from times, counters, process ids, descriptors and client ports.

Every rule matched, did not match, or could not be evaluated; the summary gives the reason. Levels are emergency, alert, critical, error, warning, notice, informational and debug.

Formats: table, json and jsonl for people and programs; sarif for code scanning of GitHub and GitLab; junit for test reports; markdown for job summaries; github for annotations; gitlab for Code Quality. Each stays within the limits of its service and reports what it leaves out.

Exit code: 0 no findings, 1 failed, 2 wrong usage, 3 a capture is damaged or did not fit into --max-memory, and has no findings, 4 there are findings. --fail-on selects the findings that count. If several apply, the first of 1, 4 and 3 counts.`;

  static override examples = [
    {
      description: 'Findings of the rules in a file',
      command: '<%= config.bin %> check capture.scap --rules rules.yaml',
    },
    {
      description: 'Several captures and rule files, every matching rule, as JSON',
      command:
        '<%= config.bin %> check captures/*.scap --rules falco_rules.yaml --rules local.d/ --rule-matching all --format json',
    },
    {
      description: 'Reports for CI services; only severe findings fail the pipeline',
      command:
        '<%= config.bin %> check capture.scap --rules rules.yaml --format sarif=check.sarif --format junit=check.xml --format markdown=check.md --fail-on error',
    },
    {
      description: 'With five events before and after each finding, without accepted findings',
      command:
        '<%= config.bin %> check capture.scap --rules rules.yaml --evidence 5 --suppress accepted.yaml',
    },
    { description: 'List the rules', command: '<%= config.bin %> check --rules rules.yaml --list' },
    {
      description: 'Check rules for errors',
      command: '<%= config.bin %> check --rules rules.yaml --validate',
    },
  ];

  static override strict = false;

  static override args = {
    capture: Args.string({
      description: 'captures, SysFlow files and tables to read; - for standard input',
    }),
  };

  static override flags = checkFlags;

  override async run(): Promise<void> {
    const { argv, flags, raw } = await this.parse(Check);
    const captures = argv as string[];
    const reads = !flags.list && !flags.validate;
    refuseWrongCaptures(captures, reads);
    const least = failLevel(flags);
    const outputs = formatOutputs(
      flags.format,
      [...captures, ...flags.rules, ...(flags.suppress ?? [])],
      flags.output,
    );
    const suppress = suppressionsOf(flags.suppress, flags.today);
    const open = ({ output }: FormatOutput): Opened => ({
      sink: output === '-' ? standardOutput(flags) : openSink(output),
      screen: output === '-' ? standardScreen() : undefined,
    });

    const book = readRules(flags.rules, {
      language: flags['rules-language'],
      sigmaMapping: flags['sigma-mapping'],
    });
    const errors = book.diagnostics.filter(({ severity }) => severity === 'error');
    if (flags.validate) {
      const verified = await verifyRules(book);
      await print(outputs, open, (format) => validationText(verified, format));
      this.exit(
        verified.diagnostics.some(({ severity }) => severity === 'error')
          ? exitCodes.failed
          : exitCodes.done,
      );
    }
    if (errors.length > 0) {
      process.stderr.write(diagnosticsText(errors));
      this.exit(exitCodes.failed);
    }
    const selection = {
      switches: ruleSwitches(raw),
      tags: flags.tag,
      minLevel: flags['min-level'],
    };
    const chosen = chosenRules(book, selection);
    if (flags.list) {
      await print(outputs, open, (format, screen) => listText(chosen, format, screen));
      return;
    }

    const findings = new FindingCount();
    const writers = outputs.map((one) => {
      const { sink, screen } = open(one);
      return { sink, writer: one.format.open(sink, { screen, all: flags.all }) };
    });
    const report = await checkCaptures(
      captures,
      {
        ...selection,
        rules: book,
        all: flags.all,
        ruleMatching: flags['rule-matching'],
        evidence: flags.evidence,
        suppress,
        maxMemory: maxMemoryOf(flags),
      },
      async (finding) => {
        findings.add(finding);
        for (const { writer } of writers) await writer.finding(finding);
      },
      (error) => process.stderr.write(`sfkit: ${explain(error).message}\n`),
    );
    for (const { writer } of writers) await writer.end(report);
    process.stderr.write(checkSummary(report, findings));
    if (flags.strict) process.stderr.write(strictText(report));
    this.exit(exitCode(report, flags.strict, least !== undefined && findings.reaches(least)));
  }
}

interface Opened {
  sink: ByteSink;
  screen: Screen | undefined;
}

function refuseWrongCaptures(captures: readonly string[], reads: boolean): void {
  if (reads && captures.length === 0) refuse('missing argument: capture; see --help');
  if (!reads && captures.length > 0)
    refuse(`--list and --validate read no capture; leave out ${captures[0]}`);
  refuseTerminalInput(captures);
}

/** Writes the text for each format to its output. */
async function print(
  outputs: readonly FormatOutput[],
  open: (output: FormatOutput) => Opened,
  text: (format: string, screen: Screen | undefined) => string,
): Promise<void> {
  for (const output of outputs) {
    const { sink, screen } = open(output);
    await sink.write(text(output.format.name, screen));
    await sink.close();
  }
}

function exitCode(
  { captures, failed, rules }: RunReport,
  isStrict: boolean,
  hasFindings: boolean,
): number {
  if (failed.length > 0 || (isStrict && rules.some(({ reason }) => reason !== undefined)))
    return exitCodes.failed;
  if (hasFindings) return exitCodes.findings;
  return captures.some(({ summary }) => isPartial(summary)) ? exitCodes.partial : exitCodes.done;
}

function refuse(message: string): never {
  throw new SfkitError('INVALID_ARGUMENT', message);
}
