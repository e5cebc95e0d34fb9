# What the guide to sweeps shows, for the scripts that run it.

guide=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../src/guide/sweeps.md")

# Prints the contents of the guide's fenced block of a language, the first or another.
fenced() {
    awk -v begin="\`\`\`$1" -v number="$2" '
        $0 == "```" { inside = 0 }
        inside
        $0 == begin { inside = ++found == number }' "$guide"
}

# Changes its input by a command of sed's, which is to change something.
changed() {
    local before after
    before=$(cat)
    after=$(sed "$1" <<<"$before")
    [ "$before" != "$after" ] || { echo "the guide has nothing to change by $1" >&2; return 1; }
    printf '%s\n' "$after"
}
