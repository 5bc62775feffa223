import { dirname } from 'node:path';
import { SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';
import { falco } from './falco/falco.js';
import type { RuleLanguage, RuleText } from './language.js';
import { sigma } from './sigma/sigma.js';
import { sql } from './sql/sql.js';
import { sysflow } from './sysflow/sysflow.js';

/** The first is that of files which look like none. Those that look like several are of the last of them. */
const languages: readonly [RuleLanguage, ...RuleLanguage[]] = [falco, sysflow, sigma, sql];

export const ruleLanguages: readonly string[] = languages.map(({ name }) => name);

/** Whether a file in a directory within one that was named is rules. */
export function isNestedFile(file: RuleText): boolean {
  return looksLike(file)?.isNested === true;
}

const rule = /^\s*-\s+["']?rule["']?\s*:/m;

/** Files by their language, which is the one that is wanted, or what each looks like. */
export function byLanguage(
  files: readonly RuleText[],
  wanted: string | undefined,
): { language: RuleLanguage; files: RuleText[] }[] {
  const known = languages.find(({ name }) => name === wanted);
  if (wanted !== undefined && known === undefined) {
    const likely = nearest(wanted, ruleLanguages);
    const advice = likely === undefined ? `it is one of ${ruleLanguages.join(', ')}` : `did you mean '${likely}'?`;
    throw new SfkitError('INVALID_ARGUMENT', `'${wanted}' is no language of rules; ${advice}`);
  }
  const looks = new Map(files.map((file) => [file, known ?? looksLike(file)]));
  // Lists and macros alone look the same in both of these languages; they belong to the rules beside them.
  const policies = new Set(files.filter((file) => looks.get(file) === sysflow).map(({ name }) => dirname(name)));
  const isShared = (file: RuleText) => policies.has(dirname(file.name)) && !rule.test(file.content);
  const languageOf = (file: RuleText) => {
    const likely = looks.get(file) ?? languages[0];
    return known === undefined && likely === falco && isShared(file) ? sysflow : likely;
  };
  const taken = files.map((file) => ({ file, language: languageOf(file) }));
  return languages
    .map((language) => ({ language, files: taken.filter((one) => one.language === language).map(({ file }) => file) }))
    .filter(({ files }) => files.length > 0);
}

function looksLike({ content }: RuleText): RuleLanguage | undefined {
  return languages.findLast((language) => language.recognizes(content));
}
