# SPDX-License-Identifier: BSD-2-Clause
#
# assay.bash - completion of `assay` for bash: commands, their options, and what some of them take.
#
# What there is to complete is asked of the program (its --help is made from the same tables as its parser), so that this file knows no command.

# The candidates for the word behind these: commands of a help page (two blanks, a name, two blanks) and its long options.
_assay_candidates() {
    local help
    help=$(assay "$@" --help 2>/dev/null) || return
    sed -n 's/^  \([a-z][a-z-]*\)  *[^ ].*/\1/p' <<<"$help"
    grep -oE -- '--[a-z][a-z-]*' <<<"$help"
    echo --help
}

_assay() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} w command=()
    COMPREPLY=()
    for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $w == -* || ${#command[@]} -eq 2 ]] && break
        command+=("$w")
    done
    case $prev in
    --setting) mapfile -t COMPREPLY < <(compgen -W "$(assay policy show --defaults 2>/dev/null | sed -n 's/^\(# \)\{0,1\}set \([^ ]*\).*/\2/p')" -- "$cur"); return ;;
    --standard) mapfile -t COMPREPLY < <(compgen -W "$(assay standards --json 2>/dev/null | grep -oE '"standard":"[^"]*"' | cut -d'"' -f4)" -- "$cur"); return ;;
    -P | --policy | --dns | --state | -S | --journal | --html | --to | --issuer | --next) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    esac
    # A word that is no command (a file, a domain) is not asked for help of its own.
    case ${command[0]:-} in
    policy | ledger | resolver) ;;
    *) command=("${command[@]:0:1}") ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$(_assay_candidates "${command[@]}" | sort -u)" -- "$cur")
    [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}
complete -o filenames -F _assay assay
