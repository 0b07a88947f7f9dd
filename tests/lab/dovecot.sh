#!/bin/sh
# Runs a private Dovecot as a submission server, and a private Postfix behind it, on loopback, submits mail and keeps
# what both write into one log.
#
#   dovecot.sh WORKDIR OUTDIR [SCENARIO...]
#
# WORKDIR gets the configuration, queue and log of each run; OUTDIR/SCENARIO gets `log` and `truth.json`. Run it as
# root: both insist. Debian's dovecot-submissiond stands beside Postfix.
set -eu

. "$(dirname "$0")/common.sh"
begin 8 "$@"
shift 2
chmod 755 "$work"
[ $# -gt 0 ] || set -- before-postfix tls-versions auth-verbose

base=${BASE_PORT:-23000}

need postfix postfix
need dovecot dovecot-submissiond
need openssl openssl
installed
root "neither starts otherwise"

ports smtp 25 submission 587 smtps 465
certificate server /CN=server.example.test
old_tls

configure() {
    dir=$1
    rm -rf "$dir"
    mkdir -p "$dir/etc" "$dir/queue" "$dir/data" "$dir/home"
    chmod 755 "$dir"
    chown postfix "$dir/data"
    chmod 777 "$dir/home"
    accounts | tr A-Z a-z | sed 's/ /:{PLAIN}/' >"$dir/etc/users"
    cat >"$dir/etc/main.cf" <<CF
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
meta_directory = $(postconf -dh meta_directory)
maillog_file = $dir/maillog
maillog_file_prefixes = $dir
myhostname = mail.example.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
default_transport = discard:
relay_transport = discard:
# One recipient leads to a port where nobody listens.
transport_maps = inline:{ later@elsewhere.test=smtp:[127.0.0.1]:$((base+1)) }
minimal_backoff_time = 1h
header_checks = regexp:$dir/etc/header_checks
smtpd_authorized_xclient_hosts = $xclient
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
smtpd_sasl_auth_enable = yes
CF
    echo '/^Subject:.*hold-me/ HOLD' >"$dir/etc/header_checks"
    cat >"$dir/etc/master.cf" <<CF
127.0.0.1:$((base+26)) inet n - n - - smtpd
    -o syslog_name=postfix/relay
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
CF
    cat >"$dir/etc/dovecot.conf" <<CF
base_dir = $dir/run
state_dir = $dir/run
log_path = $dir/maillog
protocols = submission
listen = 127.0.0.1
hostname = mail.example.test
ssl = yes
ssl_cert = <$work/server.pem
ssl_key = <$work/server.key
ssl_min_protocol = TLSv1
ssl_cipher_list = ALL:@SECLEVEL=0
import_environment = TZ OPENSSL_CONF=$OPENSSL_CONF
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5
auth_verbose = $verbose
mail_location = mdbox:$dir/home/%u
submission_relay_host = 127.0.0.1
submission_relay_port = $((base+26))
submission_relay_trusted = $trusted
login_log_format_elements = user=<%u> method=%m rip=%r lip=%l mpid=%e %c $more session=<%{session}>
passdb {
  driver = passwd-file
  args = $dir/etc/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=$dir/home/%u
}
service submission-login {
  inet_listener submission {
    port = $((base+587))
  }
  inet_listener submissions {
    port = $((base+465))
    ssl = yes
  }
  inet_listener plain {
    port = $((base+25))
  }
}
service anvil {
  chroot =
}
CF
}

running=
start() {
    running=$dir/etc
    touch "$dir/maillog"; chmod 666 "$dir/maillog"
    postfix -c "$dir/etc" start >/dev/null 2>&1
    dovecot -c "$dir/etc/dovecot.conf"
    sleep 2
}
stop() {
    kill "$(cat "$dir/run/master.pid")" 2>/dev/null || :
    postfix -c "$dir/etc" stop >/dev/null 2>&1 || :
    running=
    sleep 1
}
trap '[ -z "$running" ] || stop' EXIT
trap 'exit 130' INT TERM

queued() { find "$dir/queue/incoming" "$dir/queue/active" -type f; }
settle() { rests "$dir/maillog" 2 queued; }

for scenario in "$@"; do
    verbose=no jobs=dovecot more_truth=
    case $scenario in
    # The default: whether there was TLS, and Postfix is told of client and login.
    before-postfix) xclient=127.0.0.1 trusted=yes more= version=no seed=31 ;;
    # Its version too, and Postfix sees no login.
    tls-versions) xclient= trusted=no more=%k version=yes seed=32 ;;
    # Its authentication tells of each password that was wrong, too: even of those before a login.
    auth-verbose)
        xclient=127.0.0.1 trusted=yes more=%k version=yes seed=33
        verbose=yes jobs=dovecot-verbose more_truth=--failures-end-session ;;
    *) echo "unknown scenario: $scenario" >&2; exit 64 ;;
    esac
    configure "$work/$scenario"
    start
    "$python" "$here/submit.py" --ports "$ports" --certs "$work" --out "$dir/truth.json" --scenario $jobs \
        --seed $seed --tls-in-log $version $more_truth
    settle
    # The queue is tried again: nothing of that is a message.
    for _ in 1 2; do postqueue -c "$dir/etc" -f; sleep 2; settle; done
    stop
    mkdir -p "$out/$scenario"
    sed "s,$work/,/lab/,g" "$dir/maillog" >"$out/$scenario/log"
    cp "$dir/truth.json" "$out/$scenario/"
    told "$scenario" maillog
done
