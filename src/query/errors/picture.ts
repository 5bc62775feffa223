import { shortened, textWidth } from '../../draw/width.js';
import { escapeForTerminal } from '../../engine/escape.js';

/** Maximum columns of the SQL in a picture. */
const maxWidth = 76;

/** The line of SQL at an index, and a mark below the character there. */
export function pictureOf(sql: string, index: number): string[] {
  const start = sql.lastIndexOf('\n', index - 1) + 1;
  const end = sql.indexOf('\n', index);
  const line = sql.slice(start, end < 0 ? sql.length : end);
  const number = sql.slice(0, start).split('\n').length;
  const isAlone = !sql.trim().includes('\n');
  const label = isAlone ? '  ' : `  ${number} | `;
  // Characters that would take part in the middle of a long line are left out at both ends.
  let before = clean(line.slice(Math.max(0, index - start - maxLine), index - start));
  const after = clean(line.slice(index - start, index - start + maxLine));
  const room = maxWidth - Math.min(textWidth(after), maxWidth / 2);
  if (textWidth(before) > room) before = `…${endOf(before, room - 1)}`;
  const shown = before + shortenedEnd(after, maxWidth - textWidth(before));
  return [label + shown, `${' '.repeat(textWidth(label + before))}^`];
}

/** Maximum characters on each side of the mark that are looked at. */
const maxLine = 500;

/** Tabs and returns are blanks, so that the mark is at its place. */
function clean(text: string): string {
  return escapeForTerminal(text.replace(/[\t\r]/g, ' '));
}

function endOf(text: string, width: number): string {
  let start = text.length;
  while (start > 0 && textWidth(text.slice(start - 1)) <= width) start -= 1;
  return text.slice(start);
}

function shortenedEnd(text: string, width: number): string {
  // A blank before it: shortened() leaves out the start of paths.
  return shortened(` ${text}`, width + 1).slice(1);
}
