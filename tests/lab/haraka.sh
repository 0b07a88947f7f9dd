#!/bin/sh
# Runs a private Haraka on loopback, submits mail to it and keeps its log and the events of the plugin.
#
#   haraka.sh WORKDIR OUTDIR [SCENARIO...]
#
# WORKDIR gets the configuration, queue and logs of each run; OUTDIR/SCENARIO gets `log` (Haraka's own)
# with `truth.json`, and `events/log` (those of shared/logs/haraka) with its `truth.json`. HARAKA is the
# program, or `npm install Haraka@3` in WORKDIR provides it.
set -eu

. "$(dirname "$0")/common.sh"
begin 8 "$@"
shift 2
[ $# -gt 0 ] || set -- default logfmt json hostile

base=${BASE_PORT:-22000}
haraka=${HARAKA:-$work/node_modules/.bin/haraka}
need node nodejs
need openssl openssl
installed
[ -x "$haraka" ] || { echo "install first: cd $work && npm install Haraka@3"; exit 69; }

# Haraka begins with TLS on one port of a number that it is told.
ports smtp 25 mx 25 submission 587 smtps 465
certificates
old_tls

# configure FORMAT LEVEL
configure() {
    rm -rf "$dir"
    mkdir -p "$dir/config" "$dir/plugins" "$dir/queue"
    cd "$dir"
    echo mail.example.test >config/me
    echo example.test >config/host_list
    printf '[main]\nlevel=%s\ntimestamps=true\nformat=%s\n' "$2" "$1" >config/log.ini
    cat >config/smtp.ini <<CONF
listen=127.0.0.1:$((base+25)),127.0.0.1:$((base+587)),127.0.0.1:$((base+465))
smtps_port=$((base+465))
inactivity_timeout=60
CONF
    # It reads no defaults for what this file does not say.
    sed 's/^;*bytes *=.*/bytes=300000/' "$(dirname "$(readlink -f "$haraka")")/../config/connection.ini" >config/connection.ini
    cat >config/tls.ini <<CONF
key=$work/server.key
cert=$work/server.pem
minVersion=TLSv1
ciphers=ALL:@SECLEVEL=0
CONF
    { printf '[core]\nmethods=PLAIN,LOGIN,CRAM-MD5\nconstrain_sender=false\n[users]\n'
      accounts | sed 's/ /=/'; } >config/auth_flat_file.ini
    printf 'tls\nauth/flat_file\nlab\nrcpt_to.in_host_list\nauth_events\n' >config/plugins
    printf '[main]\nfile=%s/events\n' "$dir" >config/auth_events.ini
    cp "$here/../../shared/logs/haraka/auth_events.js" plugins/
    # What an administrator refuses, where mail goes, and a queue of his own for what is not relayed.
    cat >plugins/lab.js <<JS
exports.hook_mail = (next, connection, params) =>
    params[0].address.startsWith('refused@') ? next(DENY, 'not this sender') : next()
exports.hook_rcpt = (next, connection, params) => {
    if (/refused@/.test(params[0].address)) return next(DENY, 'not this recipient')
    connection.relaying ? next(OK) : next()
}
exports.hook_data = (next, connection) => { connection.transaction.parse_body = false; next() }
exports.hook_data_post = (next, connection) =>
    /reject-me/.test(connection.transaction.header.get('Subject')) ? next(DENY, 'not this text') : next()
exports.hook_queue = (next) => next(OK, 'kept')
exports.hook_queue_outbound = (next, connection) =>
    /own-queue/.test(connection.transaction.rcpt_to[0].address) ? next(OK, 'kept') : next()
exports.hook_get_mx = (next) => next(OK, [{ exchange: '127.0.0.1', port: $((base+92)), priority: 0 }])
JS
    cd "$here"
}

helper=
running=
stop() {
    for pid in $running $helper; do kill "$pid" 2>/dev/null || :; done
    if [ -n "$running" ]; then wait "$running" 2>/dev/null || :; fi
    running= helper=
}
# An interrupted run must not leave a mail server behind.
trap stop EXIT
trap 'exit 130' INT TERM

start() {
    "$python" "$here/filter.py" sink $((base+92)) & helper=$!
    "$haraka" -c "$dir" >"$dir/log" 2>&1 & running=$!
    for _ in $(seq 60); do
        if "$python" -c "import socket
for port in 25, 465, 587: socket.create_connection(('127.0.0.1', $base + port)).close()" 2>/dev/null; then return; fi
        sleep 1
    done
    echo "Haraka did not start: $dir/log" >&2
    exit 70
}

submit() {
    "$python" "$here/submit.py" --ports "$ports" --certs "$work" --out "$dir/truth.json" \
        --nameless "$dir/nameless.json" "$@"
}

settle() { rests "$dir/log" 2; }

keep() {
    mkdir -p "$out/$1/events"
    cp "$dir/log" "$out/$1/log"
    cp "$dir/events" "$out/$1/events/log"
    cp "$dir/truth.json" "$out/$1/events/truth.json"
    cp "$dir/nameless.json" "$out/$1/truth.json"
    told "$1" log
}

for scenario in "$@"; do
    dir=$work/haraka-$scenario
    level=info format=default jobs=haraka versions=yes
    case $scenario in
    default) ;;
    logfmt) format=logfmt jobs=haraka-short ;;
    json) format=json jobs=haraka-short ;;
    # Not exact: what a client sends before its login counts as well, for nothing tells of the login.
    notices) level=notice versions=no jobs=haraka-short ;;
    hostile) jobs=haraka-hostile ;;
    *) echo "unknown scenario: $scenario" >&2; exit 64 ;;
    esac
    configure "$format" "$level"
    start
    submit --scenario "$jobs" --nameless-tls "$versions" --seed 31
    settle
    stop
    keep "$scenario"
done
