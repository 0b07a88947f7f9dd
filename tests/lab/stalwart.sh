#!/bin/sh
# Runs a private Stalwart on loopback, submits mail to it and keeps its log.
#
#   stalwart.sh WORKDIR OUTDIR [SCENARIO...]
#
# WORKDIR gets the configuration, store and log of each run; OUTDIR/SCENARIO gets `log` and `truth.json`. STALWART is the
# program; `cargo install stalwart-lite --version 0.16.0 --no-default-features --features sqlite` builds one that is
# Stalwart 0.15 without its web pages.
set -eu

. "$(dirname "$0")/common.sh"
begin 9 "$@"
shift 2
[ $# -gt 0 ] || set -- mixed hostile

base=${BASE_PORT:-26000}
stalwart=${STALWART:-stalwart}
need "$stalwart" stalwart
need openssl openssl
installed

ports smtp 25 mx 26 submission 587 smtps 465
certificates
old_tls

configure() {
    rm -rf "$dir"
    mkdir -p "$dir/logs"
    cat >"$dir/config.toml" <<CONF
[server]
hostname = "mail.example.test"
[server.listener."smtp"]
bind = ["127.0.0.1:$((base+25))", "127.0.0.1:$((base+26))"]
protocol = "smtp"
[server.listener."submission"]
bind = "127.0.0.1:$((base+587))"
protocol = "smtp"
[server.listener."submissions"]
bind = "127.0.0.1:$((base+465))"
protocol = "smtp"
tls.implicit = true
[certificate."default"]
cert = "%{file:$work/server.pem}%"
private-key = "%{file:$work/server.key}%"
default = true
[store."db"]
type = "sqlite"
path = "$dir/store.sqlite3"
[storage]
data = "db"
fts = "db"
blob = "db"
lookup = "db"
directory = "memory"
[directory."memory"]
type = "memory"
$(accounts | while read -r name password; do
    printf '[[directory."memory".principals]]\nclass = "individual"\nname = "%s"\nsecret = "%s"\n' "$name" "$password"
    case $name in *@*) printf 'email = ["%s"]\n' "$name" ;; esac
done)
[session.auth]
mechanisms = "[plain, login]"
require = false
must-match-sender = false
errors.wait = "1s"
[session.ehlo]
reject-non-fqdn = false
[session.rcpt]
relay = "!is_empty(authenticated_as)"
errors.wait = "1s"
[session.data.limits]
size = 300000
messages = 50
[queue.limiter.inbound.ip]
enable = false
[queue.limiter.inbound.sender]
enable = false
[auth.spf.verify]
ehlo = "disable"
mail-from = "disable"
[auth.dmarc]
verify = "disable"
[auth.arc]
verify = "disable"
seal = "false"
[auth.iprev]
verify = "disable"
[auth.dkim]
sign = "false"
verify = "disable"
[spam-filter]
enable = false
[tracer."log"]
type = "log"
level = "$1"
path = "$dir/logs"
prefix = "stalwart"
rotate = "never"
ansi = false
enable = true
[authentication.fallback-admin]
user = "admin"
secret = "$("$python" -c 'import secrets; print(secrets.token_hex(16))')"
CONF
}

running=
stop() {
    if [ -n "$running" ]; then kill "$running" 2>/dev/null || :; wait "$running" 2>/dev/null || :; running=; fi
}
# An interrupted run must not leave a mail server behind.
trap stop EXIT
trap 'exit 130' INT TERM

start() {
    "$stalwart" --config "$dir/config.toml" >"$dir/console" 2>&1 & running=$!
    listening $((base+25)) $((base+26)) $((base+465)) $((base+587))
}

submit() {
    "$python" "$here/submit.py" --ports "$ports" --certs "$work" --out "$dir/truth.json" \
        --authenticators '{"PLAIN":"","LOGIN":""}' --mechanisms PLAIN,LOGIN --tls-versions TLS1.2,TLS1.3 \
        --tls-in-log starttls --unquoted "$@" || :
}

for scenario in "$@"; do
    dir=$work/stalwart-$scenario
    # Failed logins are told from this level on.
    level=debug
    case $scenario in
    mixed) seed=51 ;;
    hostile) seed=52 ;;
    *) echo "unknown scenario: $scenario" >&2; exit 64 ;;
    esac
    configure "$level"
    start
    submit --scenario "stalwart-$scenario" --seed $seed
    rests "$dir/logs/stalwart" 2
    stop
    # What it says of its start, and of where mail goes then, is several times as much.
    grep 'listenerId = ' "$dir/logs/stalwart" >"$dir/log"
    keep_log "$scenario"
done
