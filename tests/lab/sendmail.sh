#!/bin/sh
# Runs a private Sendmail on loopback, submits mail to it and keeps its log.
#
#   sendmail.sh WORKDIR OUTDIR [SCENARIO...]
#
# WORKDIR gets the configuration, queue and log of each run; OUTDIR/SCENARIO gets
# `log` and `truth.json`. Nothing of the system's own mail is read or changed. Run it as root.
# No folder above WORKDIR may be writable for all, as /tmp is: Sendmail refuses to use it.
#
# Debian does not allow Sendmail and Postfix side by side. Where Postfix is installed, unpack
# the packages sendmail-bin and sendmail-cf with `dpkg-deb -x` into one folder, and set ROOT to
# that; M4 may name an m4 that is not installed either.
set -eu

. "$(dirname "$0")/common.sh"
begin 12 "$@"
shift 2
[ $# -gt 0 ] || set -- mixed deferred

base=${BASE_PORT:-22000}
unpacked=${ROOT:-}
m4=${M4:-m4}
bin=$unpacked/usr/libexec/sendmail
cf=$unpacked/usr/share/sendmail/cf

[ -x "$bin/sendmail" ] || missing="$missing sendmail-bin"
[ -f "$cf/m4/cf.m4" ] || missing="$missing sendmail-cf"
need "$m4" m4
need saslpasswd2 sasl2-bin
need rsyslogd rsyslog
need openssl openssl
installed
root "Sendmail cannot start otherwise"

# Sendmail logs to /dev/log and nowhere else, and waits a minute for a host name with a domain, so the runs see a
# /dev, a host name and an /etc/hosts of their own.
if [ -z "${INSIDE:-}" ]; then
    mkdir -p "$work/dev"
    for node in null zero random urandom; do cp -a "/dev/$node" "$work/dev/"; done
    printf '127.0.0.1 mail.example.test mail localhost\n127.0.0.2 printer.example.test\n::1 localhost\n' >"$work/hosts"
    INSIDE=yes exec unshare -m -u sh -euc '
        mount --bind "$1/dev" /dev
        mount --bind "$1/hosts" /etc/hosts
        hostname mail.example.test
        shift
        exec sh "$@"' sh "$work" "$here/$(basename "$0")" "$work" "$out" "$@"
fi

ports smtp 25 mx 26 submission 587 submission6 588 smtps 465
certificates
chmod 600 "$work"/*.key
old_tls

# configure: $1 = further settings
configure() {
    rm -rf "$dir"
    mkdir -p "$dir/queue"
    chmod 755 "$work" "$dir" "$dir/queue"
    sasl_accounts "$dir/sasl" Sendmail
    chmod 600 "$dir"/sasl/*
    for local in alice bob crm postmaster mailer-daemon; do echo "$local: /dev/null"; done >"$dir/aliases"
    printf 'To:refused@elsewhere.test\tREJECT\nTo:second-refused@elsewhere.test\tREJECT\nFrom:refused@example.test\tREJECT\n' |
        "$bin/makemap" -C /dev/null hash "$dir/access"
    ipv6=
    if grep -q ' lo$' /proc/net/if_inet6 2>/dev/null; then
        ipv6="DAEMON_OPTIONS(\`Name=MSA6, Family=inet6, Addr=::1, Port=$((base+588))')"
    fi
    cat >"$dir/sendmail.mc" <<CONF
OSTYPE(\`linux')
define(\`confDOMAIN_NAME', \`mail.example.test')
define(\`QUEUE_DIR', \`$dir/queue')
define(\`ALIAS_FILE', \`$dir/aliases')
define(\`STATUS_FILE', \`$dir/statistics')
define(\`confPID_FILE', \`$dir/sendmail.pid')
define(\`confCW_FILE', \`-o $dir/none')
define(\`confCT_FILE', \`-o $dir/none')
define(\`confDONT_BLAME_SENDMAIL', \`GroupReadableKeyFile,GroupReadableSASLDBFile')
define(\`confAUTH_MECHANISMS', \`PLAIN LOGIN CRAM-MD5')
TRUST_AUTH_MECH(\`PLAIN LOGIN CRAM-MD5')
define(\`confCACERT_PATH', \`$work')
define(\`confCACERT', \`$work/server.pem')
define(\`confSERVER_CERT', \`$work/server.pem')
define(\`confSERVER_KEY', \`$work/server.key')
define(\`confCIPHER_LIST', \`ALL:@SECLEVEL=0')
define(\`confMAX_MESSAGE_SIZE', \`300000')
define(\`confTO_DATABLOCK', \`6s')
define(\`confTO_IDENT', \`0')
define(\`confLOG_LEVEL', \`9')
define(\`confQUEUE_LA', \`10000')
define(\`confREFUSE_LA', \`10000')
define(\`SMART_HOST', \`relay:[127.0.0.1]')
define(\`RELAY_MAILER_ARGS', \`TCP \$h $((base+92))')
$1
FEATURE(\`no_default_msa')
FEATURE(\`nocanonify')
FEATURE(\`accept_unresolvable_domains')
FEATURE(\`access_db', \`hash -T<TMPF> $dir/access')
FEATURE(\`blocklist_recipients')
DAEMON_OPTIONS(\`Name=MTA, Addr=127.0.0.1, Port=$((base+25))')
DAEMON_OPTIONS(\`Name=MX, Addr=127.0.0.1, Port=$((base+26)), M=A')
DAEMON_OPTIONS(\`Name=MSA, Addr=127.0.0.1, Port=$((base+587))')
DAEMON_OPTIONS(\`Name=TLSMSA, Addr=127.0.0.1, Port=$((base+465)), M=s')
$ipv6
LOCAL_DOMAIN(\`example.test')
MAILER(\`local')
MAILER(\`smtp')
LOCAL_CONFIG
ESASL_CONF_PATH=$dir/sasl
EOPENSSL_CONF=$OPENSSL_CONF
HSubject: \$>CheckSubject
LOCAL_RULESETS
SCheckSubject
R\$* reject-me \$*	\$#error \$@ 5.7.1 \$: 550 5.7.1 not this text
R\$* reject-me	\$#error \$@ 5.7.1 \$: 550 5.7.1 not this text
Rreject-me \$*	\$#error \$@ 5.7.1 \$: 550 5.7.1 not this text
Rreject-me	\$#error \$@ 5.7.1 \$: 550 5.7.1 not this text
CONF
    "$m4" -D_CF_DIR_="$cf/" "$cf/m4/cf.m4" "$dir/sendmail.mc" >"$dir/sendmail.cf"
    "$bin/sendmail" -C"$dir/sendmail.cf" -bi >/dev/null
    touch "$dir/log"
    cat >"$dir/rsyslog.conf" <<CONF
module(load="imuxsock" SysSock.Use="on" SysSock.Name="/dev/log" SysSock.RateLimit.Interval="0" SysSock.UsePIDFromSystem="off")
\$LocalHostName mail
action(type="omfile" file="$dir/log" template="${template:-RSYSLOG_TraditionalFileFormat}")
CONF
}

helpers=
running=
stop() {
    if [ -n "$running" ]; then kill "$(head -1 "$running")" 2>/dev/null || :; running=; sleep 1; fi
    for pid in $helpers; do kill "$pid" 2>/dev/null || :; done
    helpers=
}
# An interrupted run must not leave a mail server behind.
trap stop EXIT
trap 'exit 130' INT TERM

helper() { "$@" & helpers="$helpers $!"; sleep 1; }

start() {
    helper rsyslogd -n -f "$dir/rsyslog.conf" -i "$dir/rsyslog.pid"
    "$bin/sendmail" -L sm-mta -C"$dir/sendmail.cf" -bd
    running=$dir/sendmail.pid
    sleep 1
}

settle() { rests "$dir/log" 3; }

submit() {
    "$python" "$here/submit.py" --ports "$ports" --certs "$work" --no-chunking --out "$dir/truth.json" "$@" || :
}

for scenario in "$@"; do
    dir=$work/sendmail-$scenario template=
    case $scenario in
    mixed)
        configure ""
        start
        helper "$python" "$here/filter.py" sink $((base+92))
        submit --scenario mixed --seed 21 ;;
    deferred)
        # Everything waits in the queue at first, and is tried several times.
        template=RSYSLOG_FileFormat
        configure "define(\`confTO_ICONNECT', \`3s')"
        start
        submit --scenario deferred --seed 22
        settle
        for _ in 1 2; do "$bin/sendmail" -L sm-mta -C"$dir/sendmail.cf" -q; settle; done
        helper "$python" "$here/filter.py" sink $((base+92))
        "$bin/sendmail" -L sm-mta -C"$dir/sendmail.cf" -OTimeout.hoststatus=0s -q ;;
    *) echo "unknown scenario: $scenario" >&2; exit 64 ;;
    esac
    settle
    stop
    keep_log "$scenario"
done
