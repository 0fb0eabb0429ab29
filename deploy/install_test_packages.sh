#!/bin/sh
# Brings PostgreSQL and Chromium for the tests: installs them as root, else names them.
set -eu

missing=
if [ -z "${HUB_TEST_POSTGRES_URL:-}" ] && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    missing="$missing postgresql-15"
fi
[ -x /usr/bin/chromium ] || missing="$missing chromium fonts-dejavu-core"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Some tests need more programs. As root: apt-get install$missing" >&2
    # Under CI those tests fail; on a developer's machine they are skipped.
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# Debian makes and starts a cluster of its own unless told otherwise.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
fi
apt-get update -qq </dev/null
# shellcheck disable=SC2086 # a list of package names
apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null
