#!/usr/bin/env bash
# quick.sh: what can be known of a change in under a minute, on a built tree (make quick):
# formatting, static analysis and headers of the files that changed, line lengths, layers, and the unit tests of the
# rooms that changed.
#
#   BASE   changed since when (default: origin/main where it is known, else HEAD)
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail
cd "$(dirname "$0")/.."

base=${BASE:-$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)}
mapfile -t changed < <({
	git diff --name-only --diff-filter=d "$base" --
	git ls-files --others --exclude-standard
} | sort -u)

# of PATTERN...: the changed files whose path matches one of them
of() {
	local file pattern
	for file in ${changed[@]+"${changed[@]}"}; do
		for pattern in "$@"; do
			# shellcheck disable=SC2053 # a pattern
			[[ $file == $pattern ]] && printf '%s\n' "$file" && break
		done
	done
	return 0
}

# The unit tests of a changed file: those of its room, of its module where the room has none, or the one test itself.
tests_of() {
	local room
	case $1 in
		modules/lib/*/*.[ch] | modules/*/live/*.[ch] | modules/*/decide/*.[ch] | modules/*/build/*.[ch])
			room=$(cut -d / -f 2-3 <<<"$1")
			[ -d "tests/unit/$room" ] || room=${room%/*}
			printf '%s\n' "$room"
			;;
		tests/unit/*/*/test_*.c) sed -e 's|^tests/unit/||' -e 's|/test_|/|' -e 's|\.c$||' <<<"$1" ;;
		tests/unit/*/*.h) dirname "${1#tests/unit/}" ;;
	esac
}

step() {
	printf '%3ds  %s\n' "$SECONDS" "$*"
}

mapfile -t c_files < <(of 'modules/*.[ch]' 'tests/*.[ch]')
mapfile -t py_files < <(of '*.py')
mapfile -t sh_files < <(of '*.sh' '.ci/run')
mapfile -t rooms < <(for file in ${changed[@]+"${changed[@]}"}; do tests_of "$file"; done | sort -u)

step "${#changed[@]} files changed since $(git rev-parse --short "$base")"
[ ${#c_files[@]} = 0 ] || tests/format.sh "${c_files[@]}"
[ ${#py_files[@]} = 0 ] || flake8 --max-line-length 120 "${py_files[@]}"
[ ${#sh_files[@]} = 0 ] || shellcheck "${sh_files[@]}"
tests/check-length.sh
if [ ${#c_files[@]} -gt 0 ]; then
	step 'static analysis, headers and layers'
	make --no-print-directory lint-files check-headers check-layers FILES="${c_files[*]}" | grep -v '^  ' || true
	[ "${PIPESTATUS[0]}" = 0 ] || exit 1
fi
if [ ${#rooms[@]} -gt 0 ]; then
	step "unit tests: ${rooms[*]}"
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	make --no-print-directory -j"$(nproc)" test-unit T="${rooms[*]}" >"$log" 2>&1 || {
		tail -n 30 "$log"
		exit 1
	}
	printf '      %d programs passed\n' "$(grep -c '  PASSED  ' "$log")"
fi
step 'good: make test before a push'
