// Manual pages from the list of commands (oclif.manifest.json), which is also the source of `sfkit
// help`.

const bold = (text) => `\\fB${text}\\fR`;
const italic = (text) => `\\fI${text}\\fR`;

/**
 * Escapes text for roff: backslashes and hyphens print as typed, and no line starts like a request.
 */
function plain(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
}

/** The pages by file name: sfkit.1, and one for each command of sfkit itself. */
export function manPages(manifest, { version, description, homepage }) {
  const commands = Object.values(manifest.commands)
    .filter(({ hidden, pluginName }) => !hidden && pluginName === 'sfkit')
    .sort((left, right) => (left.id < right.id ? -1 : 1));
  const context = { version, homepage, names: commands.map(({ id }) => id) };
  const pages = commands.map((command) => [`sfkit-${command.id}.1`, commandPage(command, context)]);
  return new Map([['sfkit.1', overview(commands, description, context)], ...pages]);
}

function overview(commands, description, context) {
  return page('sfkit', description, context, [
    section('SYNOPSIS', [`${bold('sfkit')} ${italic('COMMAND')} [${italic('ARGUMENT')}...]`]),
    section(
      'COMMANDS',
      commands.map(({ id, summary }) => item(`${bold(plain(`sfkit-${id}`))}(1)`, summary)),
    ),
    section('OPTIONS', [
      item(bold('\\-\\-help'), 'print help, also after a command'),
      item(bold('\\-\\-version'), 'print the version'),
    ]),
    seeAlso(context.names.map((name) => `sfkit-${name}`)),
  ]);
}

function commandPage(command, context) {
  const name = `sfkit-${command.id}`;
  const paragraphs = (command.description ?? '')
    .split('\n\n')
    .map((text) => rendered(text, command));
  const exit = paragraphs.find((text) => text.startsWith('Exit code: '));
  return page(name, command.summary, context, [
    section('SYNOPSIS', [synopsis(command)]),
    section(
      'DESCRIPTION',
      paragraphs.filter((text) => text !== exit).map((text) => `.PP\n${plain(text)}`),
    ),
    section(
      'ARGUMENTS',
      Object.values(command.args).map((arg) => item(argumentName(arg, command), arg.description)),
    ),
    ...flagSections(command),
    section('EXIT STATUS', exit === undefined ? [] : exitStatus(exit.slice('Exit code: '.length))),
    section(
      'EXAMPLES',
      (command.examples ?? []).map((example) => {
        const { description, command: line } =
          typeof example === 'string' ? { command: example } : example;
        return `.PP\n${plain(description ?? '')}\n.PP\n.RS 4\n.nf\n${plain(rendered(line, command))}\n.fi\n.RE`;
      }),
    ),
    seeAlso([
      'sfkit',
      ...context.names.map((other) => `sfkit-${other}`).filter((other) => other !== name),
    ]),
  ]);
}

function page(name, summary, { version, homepage }, sections) {
  const title = `.TH "${plain(name.toUpperCase())}" "1" "" "sfkit ${plain(version)}" "sfkit"`;
  // No hyphenation and no stretched spaces, so that flags and paths can be searched.
  const head = `.\\" Made by scripts/man.mjs from the help of the command.\n${title}\n.nh\n.ad l`;
  const heading = section('NAME', [`${plain(name)} \\- ${plain(summary.replace(/\.$/, ''))}`]);
  const parts = [
    heading,
    ...sections,
    section('BUGS', [`Report them at ${plain(`${homepage}/issues`)}.`]),
  ];
  return `${[head, ...parts].filter(Boolean).join('\n')}\n`;
}

function section(title, entries) {
  return entries.length > 0 ? `.SH ${title}\n${entries.join('\n')}` : undefined;
}

function item(term, text) {
  return `.TP\n${term}\n${plain(text)}`;
}

/** The codes, which are the first sentence, then the rest of the paragraph. */
function exitStatus(text) {
  const [codes, rest] = text.replace(/\.$/, '').split(/\. ([\s\S]*)/);
  const items = codes.split(/,\s+(?=\d)/).map((entry) => {
    const [, code, meaning] = /^(\d+)\s+([\s\S]*)$/.exec(entry) ?? [];
    if (code === undefined) throw new Error(`'${entry}' is not an exit code with its meaning`);
    return item(bold(code), meaning);
  });
  return rest === undefined ? items : [...items, `.PP\n${plain(`${rest}.`)}`];
}

function seeAlso(names) {
  return section('SEE ALSO', [names.map((name) => `${bold(plain(name))}(1)`).join(', ')]);
}

function synopsis(command) {
  const parts = Object.values(command.args).map((arg) => {
    const name = argumentName(arg, command);
    return arg.required ? name : `[${name}]`;
  });
  const flags = sortedFlags(command).map(
    (flag) => `[${flagForms(flag)[0]}${flagValue(flag, ' ')}]`,
  );
  return [bold(plain(`sfkit ${command.id}`)), ...parts, ...flags].join(' ');
}

function argumentName({ name }, { strict }) {
  return italic(plain(name.toUpperCase())) + (strict ? '' : '...');
}

function flagSections(command) {
  const groups = new Map([[undefined, []]]);
  for (const flag of sortedFlags(command)) {
    if (!groups.has(flag.helpGroup)) groups.set(flag.helpGroup, []);
    groups.get(flag.helpGroup).push(flag);
  }
  return [...groups].map(([group, flags]) =>
    section(
      group === undefined ? 'OPTIONS' : `"${plain(group)} OPTIONS"`,
      flags.map((flag) =>
        item(`${flagForms(flag).join(', ')}${flagValue(flag, '=')}`, flagText(flag)),
      ),
    ),
  );
}

function sortedFlags({ flags }) {
  const shown = Object.values(flags).filter(({ hidden }) => !hidden);
  return shown.sort((left, right) => (left.name < right.name ? -1 : 1));
}

function flagForms({ char, name, allowNo }) {
  const long = bold(plain(`--${name}`));
  return [
    ...(char ? [bold(plain(`-${char}`))] : []),
    allowNo ? `${long}, ${bold(plain(`--no-${name}`))}` : long,
  ];
}

function flagValue(flag, separator) {
  if (flag.type !== 'option') return '';
  return separator + italic(plain(flag.helpValue ?? flag.options?.join('|') ?? 'VALUE'));
}

function flagText({ description, default: fallback, required, multiple }) {
  const notes = [
    ...(required ? ['required'] : []),
    ...(multiple ? ['may be given several times'] : []),
    ...(fallback === undefined || fallback === false || /default/.test(description)
      ? []
      : [`default: ${fallback === true ? 'on' : fallback}`]),
  ].filter((note) => !description.includes(note));
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

/** Fills in the few placeholders of oclif. */
function rendered(text, { id }) {
  return text.replaceAll('<%= config.bin %>', 'sfkit').replaceAll('<%= command.id %>', id);
}
