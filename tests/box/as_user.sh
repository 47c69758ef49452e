#!/usr/bin/env bash
# Runs a program as an ordinary user: as_user.sh PROGRAM [ARGUMENT…]. For who is one already, just runs it.
set -euo pipefail
if [ "$(id -u)" != 0 ]; then exec "$@"; fi
exec setpriv --reuid 4000 --regid 4000 --clear-groups --inh-caps=-all --no-new-privs env HOME=/nonexistent "$@"
