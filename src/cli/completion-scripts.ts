// Completion as a script per shell, made from the places of the command line. What is fixed stands in the script, so that a Tab costs nothing;
// names and ids are asked of the hub, which answers nothing where there is none.

import type { Flag, Place, Values } from './completion-words.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The name by which the person starts the program: completion belongs to a name. */
const PROGRAM = 'rookery';

export function completionScript(shell: Shell, places: readonly Place[]): string {
  return { bash, zsh, fish }[shell](places);
}

/** Both shells find the place in the same way: the longest path that the words before the cursor begin with, flags left out. */
function bash(places: readonly Place[]): string {
  return `# bash completion for ${PROGRAM}: source it, or put it where bash-completion looks.
_${PROGRAM}_ask() {
  ${PROGRAM} completion --list "$1" \${_${PROGRAM}_place[@]+"\${_${PROGRAM}_place[@]}"} 2>/dev/null | cut -f1
}
_${PROGRAM}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path='' next='' values='' arg=0 i=1 word flag='' words=''
  local _${PROGRAM}_place=()
  COMPREPLY=()
  while [ "$i" -lt "$COMP_CWORD" ]; do
    word="\${COMP_WORDS[i]}"
    if [ -n "$flag" ]; then
      case "$flag" in --home | --project) _${PROGRAM}_place+=("$flag" "$word") ;; esac
      flag=''
    else
      case "$word" in
        -*) if _${PROGRAM}_takes "$path" "$word"; then flag="$word"; fi ;;
        *)
          next="\${path:+$path }$word"
          if [ "$arg" -eq 0 ] && _${PROGRAM}_is "$next"; then path="$next"; else arg=$((arg + 1)); fi
          ;;
      esac
    fi
    i=$((i + 1))
  done
  if [ -n "$flag" ]; then values="$(_${PROGRAM}_values "$path" "$flag")"; else
    case "$cur" in -*) values="words $(_${PROGRAM}_flags "$path")" ;; *) values="$(_${PROGRAM}_values "$path" "$arg")" ;; esac
  fi
  case "$values" in
    'list '*) words="$(_${PROGRAM}_ask "\${values#list }")" ;;
    'words '*) words="$(printf '%s' "\${values#words }" | tr ' ' '\\n')" ;;
    files) compopt -o default 2>/dev/null; return 0 ;;
  esac
  # Not compgen -W, which would run what a name says.
  while IFS= read -r word; do
    if [ -n "$word" ] && [ "\${word#"$cur"}" != "$word" -o -z "$cur" ]; then COMPREPLY+=("$(printf '%q' "$word")"); fi
  done <<< "$words"
  return 0
}
${tables(places)}
complete -F _${PROGRAM} ${PROGRAM}
`;
}

function zsh(places: readonly Place[]): string {
  return `#compdef ${PROGRAM}
# zsh completion for ${PROGRAM}: source it, or put it as _${PROGRAM} into a folder of $fpath.
_${PROGRAM}() {
  local cur="\${words[CURRENT]}" path='' next='' values='' arg=0 i=2 word flag=''
  local -a place lines
  while (( i < CURRENT )); do
    word="\${words[i]}"
    if [[ -n "$flag" ]]; then
      case "$flag" in (--home|--project) place+=("$flag" "$word") ;; esac
      flag=''
    else
      case "$word" in
        (-*) if _${PROGRAM}_takes "$path" "$word"; then flag="$word"; fi ;;
        (*)
          next="\${path:+$path }$word"
          if (( arg == 0 )) && _${PROGRAM}_is "$next"; then path="$next"; else (( arg++ )); fi
          ;;
      esac
    fi
    (( i++ ))
  done
  if [[ -n "$flag" ]]; then values="$(_${PROGRAM}_values "$path" "$flag")"
  elif [[ "$cur" == -* ]]; then values="words $(_${PROGRAM}_flags "$path")"
  else values="$(_${PROGRAM}_values "$path" "$arg")"
  fi
  case "$values" in
    ('list '*)
      lines=(\${(f)"$(${PROGRAM} completion --list "\${values#list }" "\${place[@]}" 2>/dev/null)"})
      lines=("\${(@)lines//:/\\\\:}")
      lines=("\${(@)lines/$'\\t'/:}")
      _describe -V '\${values#list }' lines
      ;;
    ('words '*) lines=(\${=values#words }); compadd -a lines ;;
    (files) _files ;;
  esac
  return 0
}
${tables(places)}
if [[ "\${funcstack[1]}" == _${PROGRAM} ]]; then _${PROGRAM} "$@"; elif (( $+functions[compdef] )); then compdef _${PROGRAM} ${PROGRAM}; fi
`;
}

/** Four questions about a place, as case statements that bash and zsh both read. */
function tables(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== '');
  const rows = (lines: readonly string[]) => lines.map((line) => `    ${line}`).join('\n');
  const takes = places.flatMap(({ path, flags }) => {
    const taking = flags.filter(({ values }) => values !== undefined).map(({ flag }) => quoted(`${path} ${flag}`));
    return taking.length === 0 ? [] : [`${taking.join(' | ')}) return 0 ;;`];
  });
  const values = places.flatMap((place) => [
    ...place.flags.flatMap(({ flag, values: of }) => (of === undefined ? [] : [row(`${place.path} ${flag}`, of)])),
    ...argumentRows(place),
  ]);
  return `_${PROGRAM}_is() {
  case "$1" in
${rows([`${paths.map(({ path }) => quoted(path)).join(' | ')}) return 0 ;;`])}
  esac
  return 1
}
_${PROGRAM}_takes() {
  case "$1 $2" in
${rows(takes)}
  esac
  return 1
}
_${PROGRAM}_flags() {
  case "$1" in
${rows(places.map(({ path, flags }) => `${quoted(path)}) echo ${quoted(flags.map(({ flag }) => flag).join(' '))} ;;`))}
  esac
}
_${PROGRAM}_values() {
  case "$1 $2" in
${rows(values.filter((line) => line !== ''))}
  esac
}`;
}

/** What the first, second, … word after a command may be; at the first, its subcommands. */
function argumentRows({ path, words, args }: Place): string[] {
  if (words.length > 0) return [row(`${path} 0`, { words: words.map(({ word }) => word) })];
  return args.map((values, index) => row(`${path} ${index}`, values));
}

function row(question: string, values: Values): string {
  if ('list' in values) return `${quoted(question)}) echo ${quoted(`list ${values.list}`)} ;;`;
  if ('words' in values) return `${quoted(question)}) echo ${quoted(`words ${values.words.join(' ')}`)} ;;`;
  return 'files' in values ? `${quoted(question)}) echo files ;;` : '';
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap((place) => {
    const deeper = place.words.map(({ word }) => ` ${word}`).join('');
    const here = place.path === '' ? '__fish_use_subcommand' : `__${PROGRAM}_at "${place.path}"${deeper}`;
    const base = `complete -c ${PROGRAM} -n ${quoted(here)}`;
    return [
      ...place.words.map(({ word, about }) => `${base} -a ${quoted(word)} -d ${quoted(about)}`),
      ...place.flags.map((flag) => `${base} -l ${quoted(flag.flag.replace(/^--/, ''))}${fishValues(flag)} -d ${quoted(flag.about)}`),
      ...(place.words.length > 0 ? [] : place.args.slice(0, 1)).flatMap((values) => {
        const offered = fishOffer(values);
        return offered === undefined ? [] : [`${base} ${offered}`];
      }),
    ];
  });
  return `# fish completion for ${PROGRAM}: source it, or put it into ~/.config/fish/completions/${PROGRAM}.fish.
function __${PROGRAM}_at
  set -l words (commandline -opc | string match -v -- '-*')
  set -l path (string split ' ' -- $argv[1])
  set -l last (math (count $path) + 1)
  test (count $words) -ge $last; and test "$words[2..$last]" = "$path"
  or return 1
  set -l next (math $last + 1)
  test (count $words) -ge $next; and contains -- $words[$next] $argv[2..]; and return 1
  return 0
end
function __${PROGRAM}_ask
  set -l place
  set -l words (commandline -opc)
  for i in (seq (count $words))
    set -l next (math $i + 1)
    contains -- $words[$i] --home --project; and set -a place $words[$i] $words[$next]
  end
  command ${PROGRAM} completion --list $argv[1] $place 2>/dev/null
end
complete -c ${PROGRAM} -f
${lines.join('\n')}
`;
}

function fishValues({ values }: Flag): string {
  if (values === undefined) return '';
  const offered = fishOffer(values);
  return ` -x${offered === undefined ? '' : ` ${offered}`}`.replace('-x -F', '-r -F');
}

function fishOffer(values: Values): string | undefined {
  if ('list' in values) return `-a ${quoted(`(__${PROGRAM}_ask ${values.list})`)}`;
  if ('words' in values) return `-a ${quoted(values.words.join(' '))}`;
  return 'files' in values ? '-F' : undefined;
}

/** Quoted for all three shells: nothing in a description can end the quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '/').replaceAll("'", '’')}'`;
}
