#!/bin/sh
# Runs a private OpenSMTPD on loopback, submits mail to it and keeps its log.
#
#   opensmtpd.sh WORKDIR OUTDIR [SCENARIO...]
#
# WORKDIR gets the configuration and log of each run; OUTDIR/SCENARIO gets `log` and `truth.json`. Run it as root: the
# server knows fixed paths, and sees a layer above the system's files that is gone afterwards.
#
# Debian does not allow OpenSMTPD and Postfix side by side. Where Postfix is installed, unpack the package opensmtpd and
# all that it depends on with `dpkg-deb -x` into one folder, and set ROOT to that. Debian 12's own (6.8) cannot serve TLS.
set -eu

. "$(dirname "$0")/common.sh"
begin 11 "$@"
shift 2
[ $# -gt 0 ] || set -- mixed deferred hostile

base=${BASE_PORT:-24000}
[ -x "${ROOT:-}/usr/sbin/smtpd" ] || missing="$missing opensmtpd"
need rsyslogd rsyslog
need openssl openssl
installed
root "it cannot change its users otherwise"
layered "$@"

ports smtp 25 mx 26 submission 587 smtps 465
certificates
old_tls

# configure: $1 = where mail for others goes
configure() {
    mkdir -p "$dir"
    rm -f "$dir"/*
    user root 0 /root
    user nobody 65534 /
    user opensmtpd 981 /var/lib/opensmtpd/empty
    user opensmtpq 980 /var/lib/opensmtpd/empty
    mkdir -p "$root/var/lib/opensmtpd/empty" "$root/var/spool"
    rm -rf "$root/var/spool/smtpd"
    chown 0:0 "$root/lab" "$root/var/lib/opensmtpd/empty"
    chmod 711 "$root/var/lib/opensmtpd/empty"
    chown 0:980 "$root/usr/sbin/smtpctl"
    chmod 2755 "$root/usr/sbin/smtpctl"
    cp "$work/server.pem" "$work/server.key" "$work/openssl.cnf" "$root/lab/"
    chown 0:0 "$root"/lab/*
    chmod 600 "$root/lab/server.key"
    # It insists on authorities.
    [ -e "$root/etc/ssl/certs/ca-certificates.crt" ] ||
        { mkdir -p "$root/etc/ssl/certs" && cp "$work/server.pem" "$root/etc/ssl/certs/ca-certificates.crt"; }
    accounts | while read -r name password; do echo "$name $(openssl passwd -6 "$password")"; done >"$root/lab/accounts"
    echo "two\\ words $(openssl passwd -6 pw-words)" >>"$root/lab/accounts"
    cat >"$root/lab/smtpd.conf" <<CONF
pki mail.example.test cert "/lab/server.pem"
pki mail.example.test key "/lab/server.key"
table accounts file:/lab/accounts
smtp max-message-size "300000"
filter "late" phase commit match mail-from "refused-late@example.test" reject "550 not this message"
listen on 127.0.0.1 port $((base+25)) tls pki mail.example.test auth-optional <accounts> filter "late"
listen on 127.0.0.1 port $((base+26)) tls pki mail.example.test filter "late"
listen on 127.0.0.1 port $((base+587)) tls pki mail.example.test auth-optional <accounts> filter "late"
listen on 127.0.0.1 port $((base+465)) smtps pki mail.example.test auth-optional <accounts> filter "late"
action "sink" relay host smtp+notls://127.0.0.1:$((base+92))
action "closed" relay host smtp+notls://127.0.0.1:$((base+93))
match from any mail-from "refused@example.test" for any reject
match from any for rcpt-to { "refused@elsewhere.test", "second-refused@elsewhere.test" } reject
match from any for rcpt-to { "later@elsewhere.test" } action "closed"
match from any for domain "example.test" action "sink"
match auth from any for any action "sink"
CONF
}

helpers=
running=
stop() {
    if [ -n "$running" ]; then kill "$running" 2>/dev/null || :; wait "$running" 2>/dev/null || :; running=; fi
    for pid in $helpers; do kill "$pid" 2>/dev/null || :; done
    helpers=
}
# An interrupted run must not leave a mail server behind.
trap stop EXIT
trap 'exit 130' INT TERM

start() {
    syslog "$1"
    inside /usr/sbin/smtpd -F -f /lab/smtpd.conf & running=$!
    listening $((base+25)) $((base+26)) $((base+465)) $((base+587))
}

settle() { rests "$dir/log" 3; }

submit() {
    "$python" "$here/submit.py" --ports "$ports" --certs "$work" --out "$dir/truth.json" --no-chunking \
        --authenticators '{"PLAIN":"","LOGIN":""}' --mechanisms PLAIN,LOGIN --tls-versions TLS1.2,TLS1.3 --login-needs-tls "$@" || :
}

for scenario in "$@"; do
    dir=$work/opensmtpd-$scenario
    template=RSYSLOG_TraditionalFileFormat
    case $scenario in
    mixed) seed=41 ;;
    # What was taken cannot be sent on: each message is tried again, and bounces of the server's own come in between.
    deferred) seed=42 template=RSYSLOG_FileFormat ;;
    hostile) seed=43 ;;
    *) echo "unknown scenario: $scenario" >&2; exit 64 ;;
    esac
    configure
    start "$template"
    helper "$python" "$here/filter.py" sink $((base+92))
    submit --scenario "opensmtpd-$scenario" --seed $seed
    settle
    stop
    keep_log "$scenario"
done
