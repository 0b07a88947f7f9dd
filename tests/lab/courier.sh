#!/bin/sh
# Runs a private Courier on loopback, submits mail to it and keeps its log.
#
#   courier.sh WORKDIR OUTDIR [SCENARIO...]
#
# WORKDIR gets the configuration and log of each run; OUTDIR/SCENARIO gets `log` and `truth.json`. Run it as root: the
# server knows fixed paths, and sees a layer above the system's files that is gone afterwards.
#
# Debian does not allow Courier and Postfix side by side. Where Postfix is installed, unpack the packages courier-mta and
# courier-authlib-userdb (since 2.0 courier-authlib), all that they depend on, and dash, coreutils, sed, grep, mawk,
# hostname and base-files with `dpkg-deb -x` into one folder, and set ROOT to that.
set -eu

. "$(dirname "$0")/common.sh"
begin 12 "$@"
shift 2
[ $# -gt 0 ] || set -- mixed deferred hostile

base=${BASE_PORT:-25000}
[ -x "${ROOT:-}/usr/sbin/courieresmtpd" ] || missing="$missing courier-mta"
[ -x "${ROOT:-}/usr/sbin/authdaemond" ] || missing="$missing courier-authdaemon courier-authlib-userdb"
need rsyslogd rsyslog
need openssl openssl
installed
root "it cannot change its users otherwise"
layered "$@"

ports smtp 25 mx 25 submission 25 smtps 465
certificates
old_tls

configure() {
    mkdir -p "$dir"
    rm -f "$dir"/*
    user root 0 /root
    user nobody 65534 /
    user courier 982 /var/lib/courier
    etc=$root/etc/courier
    mkdir -p "$root/run/courier/authdaemon" "$etc/shared"
    cp "$work/openssl.cnf" "$root/lab/"
    cat "$work/server.key" "$work/server.pem" >"$etc/esmtpd.pem"
    chown -R 982:982 "$root/run/courier" "$root/var/lib/courier" "$etc/esmtpd.pem"
    chmod 600 "$etc/esmtpd.pem"
    chown 0:982 "$etc/aliases" "$etc/aliasdir" "$etc/filters" "$etc/esmtpauthclient"
    chmod 4755 "$root/usr/lib/courier/courier/submitmkdir"
    echo mail.example.test >"$etc/me"
    echo mail.example.test >"$etc/defaultdomain"
    echo localhost >"$etc/locals"
    echo example.test >"$etc/esmtpacceptmailfor"
    echo postmaster@example.test >"$etc/dsnfrom"
    echo 300000 >"$etc/sizelimit"
    printf 'badfrom refused@example.test\n' >"$etc/bofh"
    printf 'slow.test:[127.0.0.1],%s\nclosed.test:[127.0.0.1],%s\n:[127.0.0.1],%s\n' \
        $((base+94)) $((base+93)) $((base+92)) >"$etc/esmtproutes"
    rm -f "$etc/smtpaccess.dat"
    cat >>"$etc/esmtpd" <<CONF
PORT=127.0.0.1.$((base+25))
ADDRESS=
BOFHCHECKDNS=0
TARPIT=0
MAXDAEMONS=40
MAXPERC=40
MAXPERIP=40
ESMTPAUTH="PLAIN LOGIN CRAM-MD5"
ESMTPAUTH_TLS="PLAIN LOGIN CRAM-MD5"
TLS_PRIORITY="NORMAL:+VERS-TLS1.0:+VERS-TLS1.1:%VERIFY_ALLOW_SIGN_WITH_SHA1"
TLS_TRUSTCERTS=
CONF
    cat >>"$etc/esmtpd-ssl" <<CONF
SSLPORT=$((base+465))
SSLADDRESS=127.0.0.1
BOFHCHECKDNS=0
TARPIT=0
MAXDAEMONS=40
MAXPERC=40
MAXPERIP=40
TLS_PRIORITY="NORMAL:+VERS-TLS1.0:+VERS-TLS1.1:%VERIFY_ALLOW_SIGN_WITH_SHA1"
TLS_TRUSTCERTS=
CONF
    touch "$root/etc/environment"
    echo "nameserver 127.0.0.1" >"$root/etc/resolv.conf"
    echo 'ESMTP_USE_STARTTLS=0' >>"$etc/courierd"
    echo 'authmodulelist="authuserdb"' >>"$etc/authdaemonrc"
    accounts | while read -r name password; do
        printf '%s\tuid=65534|gid=65534|home=/tmp|systempw=%s|hmac-md5pw=%s\n' "$name" "$(openssl passwd -6 "$password")" \
            "$(echo "$password" | (inside /usr/sbin/userdbpw -hmac-md5))"
    done >"$etc/userdb"
    chmod 600 "$etc/userdb"
    (inside /usr/sbin/makeuserdb)
    (inside /usr/sbin/makealiases) || :
}

helpers=
running=
stop() {
    if [ -n "$running" ]; then
        for program in esmtpd esmtpd-ssl courier authdaemond; do (inside /usr/sbin/$program stop) || :; done
        running=
    fi
    for pid in $helpers; do kill "$pid" 2>/dev/null || :; done
    helpers=
}
# An interrupted run must not leave a mail server behind.
trap stop EXIT
trap 'exit 130' INT TERM

start() {
    syslog "$1"
    helper "$python" "$here/filter.py" names 53
    running=yes
    for program in authdaemond courier esmtpd esmtpd-ssl; do (inside /usr/sbin/$program start); done
    listening $((base+25)) $((base+465))
}

# What waits for the slow host.
waiting() {
    [ "$scenario" != deferred ] || [ "$(grep -c 'started,id=.*@slow.test>$' "$dir/log")" -ge 6 ] || echo waiting
}
settle() { rests "$dir/log" 3 waiting; }

submit() {
    "$python" "$here/submit.py" --ports "$ports" --certs "$work" --out "$dir/truth.json" --no-chunking \
        --authenticators '{"PLAIN":"","LOGIN":"","CRAM-MD5":""}' --tls-in-log never --judged-only "$@" || :
}

for scenario in "$@"; do
    dir=$work/courier-$scenario
    template=RSYSLOG_TraditionalFileFormat
    case $scenario in
    mixed) seed=51 ;;
    # What was taken cannot be sent on, or waits behind others: who sent it is told later than a minute.
    deferred) seed=52 template=RSYSLOG_FileFormat ;;
    hostile) seed=53 ;;
    *) echo "unknown scenario: $scenario" >&2; exit 64 ;;
    esac
    configure
    start "$template"
    helper "$python" "$here/filter.py" sink $((base+92))
    helper "$python" "$here/filter.py" slow $((base+94)) 75
    submit --scenario "courier-$scenario" --seed $seed
    settle
    stop
    keep_log "$scenario"
done
