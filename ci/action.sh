#!/bin/sh
# What the GitHub action does: installs abicheck, checks or gates, and tells GitHub. Its inputs are variables (see action.yml).
set -euf

fail() {
    printf '::error title=abicheck::%s\n' "$1"
    exit 2
}

if [ -n "$INPUT_OLD$INPUT_NEW" ]; then
    [ -z "$INPUT_TARGET" ] || fail 'give either target, or old and new'
    [ -n "$INPUT_OLD" ] && [ -n "$INPUT_NEW" ] || fail 'give both old and new'
elif [ -z "$INPUT_TARGET" ]; then
    fail 'give target, or old and new'
fi

# A program that is there already, or one in a virtual environment of its own.
program=$INPUT_COMMAND
if [ -z "$program" ]; then
    python=$(command -v python3 || command -v python || true)
    "${python:-false}" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        fail 'abicheck runs on Python 3.10 or newer; let actions/setup-python come first'
    venv=$RUNNER_TEMP/abicheck-venv
    "$python" -m venv "$venv"
    [ -d "$venv/bin" ] && scripts=$venv/bin || scripts=$venv/Scripts # as on Windows
    wanted=$GITHUB_ACTION_PATH
    [ -z "$INPUT_VERSION" ] || wanted=abicheck-env==$INPUT_VERSION
    "$scripts/python" -m pip install --quiet --disable-pip-version-check "$wanted" || fail "pip could not install $wanted"
    program=$scripts/abicheck
fi

summary=$RUNNER_TEMP/abicheck-summary.md
rm -f "$summary" "$INPUT_SARIF"
set -- --format github --write "sarif=$INPUT_SARIF" --write "markdown=$summary"
[ -z "$INPUT_PYTHON" ] || set -- "$@" --python "$INPUT_PYTHON"
for each in $INPUT_HOSTS; do set -- "$@" --host "$each"; done
for each in $INPUT_ARGUMENTS; do set -- "$@" "$each"; done
if [ -n "$INPUT_OLD" ]; then
    set -- gate --fail-on "$INPUT_FAIL_ON" "$@" -- "$INPUT_OLD" "$INPUT_NEW"
else
    set -- check "$@" --
    IFS='
'
    for each in $INPUT_TARGET; do set -- "$@" "$each"; done
fi

code=0
"$program" "$@" || code=$?
case $code in
    0) verdict=passes ;;
    1) verdict=fails ;;
    3) verdict=depends ;;
    4) verdict=not-judged ;;
esac
[ -s "$summary" ] || fail "abicheck ended with the exit code $code and no report; what it said stands above"
printf '%s\n' "verdict=$verdict" "exit-code=$code" "sarif=$INPUT_SARIF" >>"$GITHUB_OUTPUT"
# GitHub refuses a summary of more than 1 MiB.
head -c 1000000 "$summary" >>"$GITHUB_STEP_SUMMARY"
exit "$code"
