#!/bin/sh
# Installs the Debian programs that some tests drive: PgBouncer, and nft with ip to drop packets, espeak-ng for voices,
# Chromium for the page. Starts no service.
# Without root, without apt, or offline it only says so: those tests are then skipped, each with its reason.
set -u
wanted="pgbouncer nftables iproute2 espeak-ng chromium fonts-dejavu-core"
missing=""
for package in $wanted; do
  dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "not installed, and only root on Debian can:$missing (tests that need them are skipped)"
  exit 1
fi
policy=/usr/sbin/policy-rc.d # where it says 101, an installed service is not started
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends $missing; } \
  >/dev/null 2>&1; then
  echo "could not be installed:$missing (tests that need them are skipped)"
  exit 1
fi
