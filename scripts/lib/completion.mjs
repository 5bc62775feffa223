// Completion scripts of shells from the list of commands, which is also the source of `sfkit help`.
// The scripts contain every command, flag and value, so completing starts no program.

/** Operators of filters, offered after a field. */
const operators = [
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'contains',
  'icontains',
  'startswith',
  'endswith',
  'glob',
  'in',
  'intersects',
  'pmatch',
  'exists',
];

/**
 * What a value of a flag is: 'none' (the flag takes none), 'filter', 'file', 'other', or a list of
 * words.
 */
function kindOfValue({ name, type, options, helpValue = '' }) {
  if (type !== 'option') return 'none';
  if (name === 'filter') return 'filter';
  if (options !== undefined) return options;
  // Words in small letters are meant literally; [=FILE] may follow.
  const words = helpValue.replace(/\[.*\]$/, '').split('|');
  if (words.length > 1 && words.every((word) => /^[a-z0-9-]+$/.test(word))) return words;
  return /FILE|PATH|DIR|CAPTURE/.test(helpValue) ? 'file' : 'other';
}

/** The commands with what shells need of them. */
function commandsOf(manifest) {
  const help = { name: 'help', char: 'h', value: 'none', summary: 'print help' };
  return Object.values(manifest.commands)
    .filter(({ hidden }) => !hidden)
    .sort((left, right) => (left.id < right.id ? -1 : 1))
    .map(({ id, summary = '', flags, args }) => ({
      id,
      summary: summary.replace(/\.$/, ''),
      // Words that the first argument can be; undefined for files.
      words: Object.values(args)[0]?.options ?? (Object.keys(args).length === 0 ? [] : undefined),
      takesQueries: id === 'query',
      flags: [
        ...Object.values(flags)
          .filter(({ hidden }) => !hidden)
          .flatMap((flag) => {
            const one = {
              name: flag.name,
              char: flag.char,
              value: kindOfValue(flag),
              summary: flag.description ?? '',
            };
            const isOn = flag.allowNo && flag.default === true;
            return flag.allowNo
              ? [one, { ...one, name: `no-${flag.name}`, summary: isOn ? 'switch it off' : '' }]
              : [one];
          }),
        help,
      ],
    }));
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const names = ({ name, char }) => [...(char === undefined ? [] : [`-${char}`]), `--${name}`];

export function completionScripts(manifest, { fields, queries }) {
  const commands = commandsOf(manifest);
  return {
    bash: bashScript(commands, fields, queries),
    zsh: zshScript(commands, fields, queries),
    fish: fishScript(commands, fields, queries),
  };
}

/**
 * A `case` of the shell with the kind of value for each command and flag; words follow the kind.
 */
function valueCases(commands, indent) {
  return commands
    .flatMap(({ id, flags }) =>
      flags
        .filter(({ value }) => value !== 'none')
        .map((flag) => {
          const patterns = names(flag).map((name) => `${id}:${name}`);
          const kind = Array.isArray(flag.value) ? `words ${flag.value.join(' ')}` : flag.value;
          return `${indent}${patterns.join('|')}) kind=${quoted(kind)} ;;`;
        }),
    )
    .join('\n');
}

function bashScript(commands, fields, queries) {
  const flagCases = commands
    .map(({ id, flags }) => `    ${id}) flags=${quoted(flags.flatMap(names).join(' '))} ;;`)
    .join('\n');
  const wordCases = commands
    .filter(({ words }) => words !== undefined)
    .map(({ id, words }) => `    ${id}) _sfkit_words ${quoted(words.join(' '))}; return ;;`)
    .join('\n');
  return `# Completion of sfkit for bash. Load it with: source <(sfkit completion bash)

_sfkit_fields=${quoted(fields.join(' '))}
_sfkit_operators=${quoted(operators.join(' '))}

# Completes the current word from a list of words.
_sfkit_words() {
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$1" -- "$cur")
}

_sfkit_files() {
  local word
  compopt -o filenames 2>/dev/null
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur")
}

# Completes the last word of a filter, which may be quoted and have several words.
_sfkit_filter() {
  local last=\${cur##*[ (]} before word field
  before=\${cur%"$last"}
  # Only fields have a dot, so a field before the blank wants an operator.
  field=\${before% }
  field=\${field##*[ (]}
  local list=$_sfkit_fields
  [[ $before == *' ' && " $_sfkit_fields " == *" \${field%%[*} "* ]] && list=$_sfkit_operators
  [[ $list == "$_sfkit_fields" ]] && compopt -o nospace 2>/dev/null
  while IFS= read -r word; do COMPREPLY+=("$before$word"); done < <(compgen -W "$list" -- "$last")
}

# Names of saved queries after a prefix: those of sfkit and those in the user's directory.
_sfkit_queries() {
  local file directory=\${SFKIT_QUERIES:-\${XDG_CONFIG_HOME:-$HOME/.config}/sfkit/queries} word
  local list=${quoted(queries.join(' '))}
  for file in "$directory"/*.sql; do
    [[ -e $file ]] || continue
    file=\${file##*/}
    list+=" \${file%.sql}"
  done
  while IFS= read -r word; do COMPREPLY+=("$1$word"); done < <(compgen -W "$list" -- "\${cur#@}")
}

_sfkit() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev='' command=\${COMP_WORDS[1]-} flags='' kind='' at=$COMP_CWORD
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    if [[ $cur == -* ]]; then
      _sfkit_words '-h --help -v --version'
    else
      _sfkit_words ${quoted([...commands.map(({ id }) => id), 'help', 'version'].join(' '))}
    fi
    return
  fi
  ((at > 0)) && prev=\${COMP_WORDS[at - 1]}
  # bash splits words at = and @.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[at - 2]}
  fi
  cur=\${cur#[\\"\\']}
  case $command:$prev in
${valueCases(commands, '    ')}
  esac
  case $kind in
    words*) _sfkit_words "\${kind#words}"; return ;;
    filter) _sfkit_filter; return ;;
    file) _sfkit_files; return ;;
    other) return ;;
  esac
  if [[ $command == query && $prev == '@' ]]; then _sfkit_queries ''; return; fi
  if [[ $command == query && $cur == '@' && $COMP_WORDBREAKS == *@* ]]; then _sfkit_queries ''; return; fi
  if [[ $command == query && $cur == '@'* ]]; then _sfkit_queries '@'; return; fi
  case $command in
${flagCases}
  esac
  if [[ $cur == -?* || $cur == - ]]; then _sfkit_words "$flags"; return; fi
  case $command in
${wordCases}
    help) _sfkit_words ${quoted(commands.map(({ id }) => id).join(' '))}; return ;;
  esac
  _sfkit_files
}

complete -F _sfkit sfkit
`;
}

/** Text for _arguments of zsh: brackets and colons have a meaning there. */
const zshText = (text) =>
  text.replace(/[[\]]/g, '\\$&').replaceAll(':', '\\:').replaceAll('\n', ' ');

function zshScript(commands, fields, queries) {
  const action = (value) => {
    if (value === 'filter') return ':filter:_sfkit_filter';
    if (value === 'file') return ':file:_files';
    if (value === 'other') return ':value: ';
    return `:value:(${value.map(zshText).join(' ')})`;
  };
  const specs = ({ flags, words, takesQueries }) => [
    ...flags.flatMap(({ name, char, value, summary }) => {
      const text = `[${zshText(summary)}]`;
      if (value === 'none') return [...(char ? [`-${char}${text}`] : []), `--${name}${text}`];
      return [
        ...(char ? [`*-${char}${text}${action(value)}`] : []),
        `*--${name}=${text}${action(value)}`,
      ];
    }),
    words === undefined
      ? `*:file:${takesQueries ? '_sfkit_inputs' : '_files'}`
      : `1:word:(${words.join(' ')})`,
  ];
  return `#compdef sfkit
# Completion of sfkit for zsh. Load it with: source <(sfkit completion zsh)

_sfkit_filter() {
  local -a fields operators
  fields=(${fields.map(quoted).join(' ')})
  operators=(${operators.map(quoted).join(' ')})
  # Inside of quotes: completes the last word.
  compset -P '*[ (]'
  local field=\${IPREFIX% }
  field=\${field##*[[:blank:]\\(\\"\\']}
  # Only a field wants an operator after it.
  if [[ $IPREFIX == *' ' && -n $field ]] && (( \${fields[(Ie)$field]} )); then
    compadd -Q -a operators
  else
    compadd -Q -S '' -a fields
  fi
}

_sfkit_inputs() {
  if [[ $PREFIX == @* ]]; then
    local -a queries
    local file
    local directory=\${SFKIT_QUERIES:-\${XDG_CONFIG_HOME:-$HOME/.config}/sfkit/queries}
    queries=(${queries.map((name) => quoted(`@${name}`)).join(' ')})
    for file in $directory/*.sql(N); do queries+=("@\${file:t:r}"); done
    compadd -a -- queries
  else
    _files
  fi
}

_sfkit() {
  local -a commands
  if (( CURRENT == 2 )); then
    commands=(
${commands.map(({ id, summary }) => `      ${quoted(`${id}:${summary.replaceAll(':', '\\:')}`)}`).join('\n')}
      'help:print help'
      'version:print the version'
    )
    _describe command commands
    return
  fi
  local command=\${words[2]}
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map((command) => `    ${command.id}) _arguments -S ${specs(command).map(quoted).join(' ')} ;;`).join('\n')}
    help) compadd -- ${commands.map(({ id }) => id).join(' ')} ;;
  esac
}

compdef _sfkit sfkit
`;
}

function fishScript(commands, fields, queries) {
  const lines = [];
  const add = (condition, rest) => lines.push(`complete -c sfkit -n ${quoted(condition)} ${rest}`);
  for (const { id, summary } of commands)
    add('__fish_use_subcommand', `-f -a ${id} -d ${quoted(summary)}`);
  add('__fish_use_subcommand', "-f -a version -d 'print the version'");
  add('__fish_use_subcommand', "-f -a help -d 'print help'");
  add(
    '__fish_seen_subcommand_from help',
    `-f -a ${quoted(commands.map(({ id }) => id).join(' '))}`,
  );
  for (const { id, flags, words, takesQueries } of commands) {
    const seen = `__fish_seen_subcommand_from ${id}`;
    for (const { name, char, value, summary } of flags) {
      const short = char === undefined ? '' : `-s ${char} `;
      const about = summary === '' ? '' : ` -d ${quoted(summary.split(/[;(]/)[0].trim())}`;
      const takes =
        value === 'none'
          ? ''
          : value === 'file'
            ? ' -r -F'
            : value === 'filter'
              ? " -x -a '(__sfkit_filter)'"
              : value === 'other'
                ? ' -x'
                : ` -x -a ${quoted(value.join(' '))}`;
      add(seen, `${short}-l ${name}${takes}${about}`);
    }
    if (words !== undefined) add(seen, `-f -a ${quoted(words.join(' '))}`);
    if (takesQueries) add(seen, "-a '(__sfkit_queries)'");
  }
  return `# Completion of sfkit for fish. Load it with: sfkit completion fish | source

function __sfkit_filter
    # Completes the last word of a filter, which may be quoted and have several words.
    set -l text (commandline -ct | string trim -l -c '"\\'')
    set -l before (string replace -r '[^ (]*$' '' -- $text)
    set -l field (string match -r '([^ (]+) $' -- $before)[2]
    set -l fields ${fields.map(quoted).join(' ')}
    if test -n "$field"; and contains -- $field $fields
        printf '%s\\n' $before${operators.map(quoted).join(` $before`)}
    else
        printf '%s\\n' $before$fields
    end
end

function __sfkit_queries
    string match -q '@*' -- (commandline -ct); or return
    printf '@%s\\n' ${queries.join(' ')}
    set -l directory $SFKIT_QUERIES
    if test -z "$directory"
        set -l base $XDG_CONFIG_HOME
        test -z "$base"; and set base $HOME/.config
        set directory $base/sfkit/queries
    end
    for file in $directory/*.sql
        echo @(basename $file .sql)
    end
end

${lines.join('\n')}
`;
}
