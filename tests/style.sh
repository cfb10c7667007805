#!/usr/bin/env bash
# What a compiler does not check: banned functions, files that grew too long, marks of unfinished work, paths of one machine.
# Prints each place that breaks a rule.
set -uo pipefail
cd "$(dirname "$0")/.."

broken=0
say() { echo "style: $*"; broken=1; }

sources() { find kernel magics runtime -name '*.[ch]' | sort; }
texts() {
    find kernel magics runtime tests notebooks Makefile README.md ARCHITECTURE.md CONTRIBUTING.md -type f \
        \( -name '*.[ch]' -o -name '*.py' -o -name '*.sh' -o -name '*.md' -o -name '*.ipynb' -o -name Makefile \) \
        -not -path '*/.*' -not -path '*/golden/*' -not -name style.sh | sort
}

# Code without comments and string literals, line numbers kept.
code_of() {
    sed -E -e 's/"([^"\\]|\\.)*"/""/g' -e 's@//.*@@' -e 's@/\*.*\*/@@' -e 's@^[[:space:]]*(/\*|\*).*@@' "$1"
}

banned='(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gets|system)'
while read -r file; do
    hits=$(code_of "$file" | grep -nE "(^|[^A-Za-z0-9_.>])$banned[[:space:]]*\(")
    [ -z "$hits" ] || say "banned function in $file: $hits"
done < <(sources)

while read -r file; do
    lines=$(wc -l <"$file")
    case "$file" in *.c | *.h | *.py | *.sh) [ "$lines" -le 800 ] || say "$file has $lines lines; 800 are too many for one purpose" ;; esac
done < <(texts)

marks=$(texts | xargs -r grep -nE '\b(TODO|FIXME|XXX|HACK)\b|/(home|root|work)/[a-z]')
[ -z "$marks" ] || say "unfinished work, or a path of one machine: $marks"

exit $broken
