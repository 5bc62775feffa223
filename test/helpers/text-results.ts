// Readers of the text forms of results, independent of sfkit's writers.

/** Rows of raw CSV cells: an empty cell is '', an empty quoted cell is "". */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    const quoted = /"(?:[^"]|"")*"/y;
    const bare = /[^",\r\n]*/y;
    quoted.lastIndex = at;
    bare.lastIndex = at;
    const cell = (quoted.exec(text) ?? bare.exec(text))?.[0] as string;
    row.push(cell);
    at += cell.length;
    if (text[at] === ',') {
      at++;
      continue;
    }
    if (text.slice(at, at + 2) !== '\r\n') throw new Error(`no end of line after ${cell}`);
    at += 2;
    rows.push(row);
    row = [];
  }
  return rows;
}

/** The text of a cell, without quotes, the apostrophe against formulas, and escapes. */
export function uncsv(cell: string): string {
  const inner = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
  const text = inner.startsWith("'") ? inner.slice(1) : inner;
  return text.replace(
    /\\(?:\\|x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]+)\})/g,
    (_, byte, unit, point) => {
      const code = byte ?? unit ?? point;
      return code === undefined ? '\\' : String.fromCodePoint(Number.parseInt(code, 16));
    },
  );
}

/** Cells of a GitHub table, without Markdown escapes. */
export function parseMarkdown(text: string): string[][] {
  const lines = text.trimEnd().split('\n');
  return lines.map((line) => {
    const cells = line.slice(1, -1).split(/(?<!(?<!\\)(?:\\\\)*\\)\|/);
    return cells.map((cell) =>
      cell
        .slice(1, -1)
        .replace(/\\([!-/:-@[-`{-~])/g, '$1')
        .replaceAll('&#32;', ' '),
    );
  });
}

/** Cells of a drawn table. */
export function parseDrawn(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('│')
        .map((cell) => cell.trim()),
    );
}

/** The members of one object per line, in order, with values as source text. */
export function parseJsonLines(text: string): [string, string][][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      JSON.parse(line);
      return members(line);
    });
}

function members(object: string): [string, string][] {
  const found: [string, string][] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
  let depth = 0;
  let key: string | undefined;
  let start = 0;
  for (let match = token.exec(object); match !== null; match = token.exec(object)) {
    const [part] = match;
    if (depth === 1 && (part === ',' || part === '}') && key !== undefined) {
      found.push([JSON.parse(key), object.slice(start, match.index)]);
      key = undefined;
    } else if (depth === 1 && key === undefined && part.startsWith('"')) {
      key = part;
      start = token.lastIndex + 1;
    }
    if (part === '{' || part === '[') depth++;
    if (part === '}' || part === ']') depth--;
  }
  return found;
}
