#!/bin/sh
# Runs a private Postfix on loopback, submits mail to it and keeps its log.
#
#   postfix.sh WORKDIR OUTDIR [SCENARIO...]
#
# WORKDIR gets the configuration, queue and log of each run; OUTDIR/SCENARIO gets
# `log` and `truth.json`. Nothing of the system's own Postfix is read or changed,
# except that the two share the program files. Run it as root: Postfix insists.
set -eu

. "$(dirname "$0")/common.sh"
begin 9 "$@"
shift 2
# Postfix drops root and must still reach its folders; a folder made by mktemp is closed to it.
chmod 755 "$work"
[ $# -gt 0 ] || set -- starttls-and-smtps loglevel0 long-queue-ids deferred-retried held \
    content-filter proxy-filter iso-timestamps proxied-clients discarded hostile service-names

base=${BASE_PORT:-20000}

need postfix postfix
need saslpasswd2 sasl2-bin
need openssl openssl
ls /usr/lib/*/sasl2/libcrammd5.so* >/dev/null 2>&1 || missing="$missing libsasl2-modules"
case " $* " in *" iso-timestamps "*) need rsyslogd rsyslog ;; esac
installed
root "Postfix cannot start otherwise"

ports smtp 25 mx 26 submission 587 submission6 588 msa 589 smtps 465

# configure: the common configuration; the scenarios add to it.
configure() {
    dir=$1
    rm -rf "$dir"
    mkdir -p "$dir/etc" "$dir/queue" "$dir/data"
    chmod 755 "$dir"
    chown postfix "$dir/data"
    sasl_accounts "$dir/etc/sasl" smtpd
    chmod 644 "$dir/etc/sasl/sasldb2"
    cat >"$dir/etc/main.cf" <<CF
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
meta_directory = $(postconf -dh meta_directory)
# A log file of Postfix's own, so that no syslog is needed.
maillog_file = $dir/maillog
maillog_file_prefixes = $dir
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C OPENSSL_CONF=$OPENSSL_CONF
myhostname = mail.example.test
mydestination =
relay_domains = example.test
mynetworks = 192.0.2.255/32
inet_interfaces = all
inet_protocols = all
alias_maps =
local_recipient_maps =
# Delivered mail disappears.
default_transport = discard:
relay_transport = discard:
smtpd_error_sleep_time = 0
smtpd_timeout = 6s
message_size_limit = 300000
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = mail.example.test
cyrus_sasl_config_path = $dir/etc/sasl
smtpd_tls_security_level = may
smtpd_tls_cert_file = $work/server.pem
smtpd_tls_key_file = $work/server.key
smtpd_tls_CAfile = $work/server.pem
smtpd_tls_protocols = >=TLSv1
smtpd_tls_ciphers = medium
tls_medium_cipherlist = ALL:@SECLEVEL=0
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
header_checks = regexp:$dir/etc/header_checks
smtpd_sender_restrictions = check_sender_access inline:{refused@example.test=REJECT, watched@corp.test=HOLD, dropped@example.test=DISCARD}
smtpd_recipient_restrictions = check_recipient_access inline:{refused@elsewhere.test=REJECT, watched@elsewhere.test=HOLD},
    permit_sasl_authenticated, reject_unauth_destination
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_data_restrictions = reject_unauth_pipelining
smtpd_delay_reject = yes
CF
    cat >"$dir/etc/header_checks" <<'CHECKS'
/^Subject:.*warn-me/ WARN
/^Subject:.*reject-me/ REJECT not this one
/^Subject:.*hold-me/ HOLD
/^Subject:.*discard-me/ DISCARD
/^Subject:.*redirect-me/ REDIRECT postmaster@example.test
/^Subject:.*prepend-me/ PREPEND X-Seen: yes
CHECKS
    cat >"$dir/etc/master.cf" <<CF
127.0.0.1:$((base+25)) inet n - n - - smtpd
127.0.0.1:$((base+26)) inet n - n - - smtpd
    -o smtpd_sasl_auth_enable=no
127.0.0.1:$((base+587)) inet n - n - - smtpd
    -o syslog_name=$name/submission
127.0.0.1:$((base+465)) inet n - n - - smtpd
    -o syslog_name=$name/smtps -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
CF
    grep -q ' lo$' /proc/net/if_inet6 2>/dev/null && cat >>"$dir/etc/master.cf" <<CF
[::1]:$((base+588)) inet n - n - - smtpd
    -o syslog_name=$name/submission
CF
    return 0
}

running=
start() { running=$dir/etc; postfix -c "$dir/etc" start >/dev/null 2>&1; sleep 1; }
stop() { postfix -c "$dir/etc" stop >/dev/null 2>&1; running=; sleep 1; }

submit() {
    "$python" "$here/submit.py" --ports "$ports" --certs "$work" --realm mail.example.test --out "$dir/truth.json" "$@"
}

# settle: wait until nothing is on its way and the log has stopped growing.
queued() { find "$dir/queue/incoming" "$dir/queue/active" "$dir/queue/maildrop" -type f; }
settle() { rests "$dir/maillog" 2 queued; }

keep() {
    mkdir -p "$out/$1"
    # The log as it is, but for the folder of this run in the line about the start.
    sed "s,$work/,/lab/,g" "$dir/maillog" >"$out/$1/log"
    cp "$dir/truth.json" "$out/$1/"
    told "$1" maillog
}

# helper: start a small server of filter.py and remember it.
helpers=
helper() { "$python" "$here/filter.py" "$@" & helpers="$helpers $!"; sleep 1; }
stop_helpers() { for pid in $helpers; do kill "$pid" 2>/dev/null || :; done; helpers=; }
# An interrupted run must not leave a mail server behind.
trap 'stop_helpers; [ -z "$running" ] || postfix -c "$running" stop >/dev/null 2>&1 || :' EXIT
trap 'exit 130' INT TERM

simple() { # simple SCENARIO TRAFFIC [submit options]
    run=$1 traffic=$2
    shift 2
    start
    submit --scenario "$traffic" "$@"
    settle
    stop
    keep "$run"
}

certificates
old_tls
for scenario in "$@"; do
    name=postfix
    [ "$scenario" != long-queue-ids ] || name=postfix-out
    configure "$work/$scenario"
    case $scenario in
    starttls-and-smtps)
        # Client certificates and server name indication change the TLS line.
        postconf -c "$dir/etc" -e smtpd_tls_ask_ccert=yes "tls_server_sni_maps=hash:$dir/etc/sni"
        echo "mail.example.test $work/server.key $work/server.pem" >"$dir/etc/sni"
        postmap -c "$dir/etc" -F "hash:$dir/etc/sni"
        simple "$scenario" mixed ;;
    loglevel0)
        postconf -c "$dir/etc" -e smtpd_tls_loglevel=0
        simple "$scenario" short --seed 2 --tls-in-log no ;;
    long-queue-ids)
        # Also the program names of a second instance: postfix-out/smtpd and so on.
        postconf -c "$dir/etc" -e enable_long_queue_ids=yes syslog_name=$name
        simple "$scenario" short --seed 3 ;;
    deferred-retried)
        # One recipient leads to a port where nobody listens; another leads back to the port
        # for incoming mail, which refuses it, so that it bounces.
        postconf -c "$dir/etc" -e "default_transport=smtp:[127.0.0.1]:$((base+1))" minimal_backoff_time=1h \
            "transport_maps=inline:{ r@elsewhere.test=discard:, r0@elsewhere.test=discard:, bounce@elsewhere.test=smtp:[127.0.0.1]:$((base+26)) }"
        start
        submit --scenario deferred --seed 4
        settle
        for _ in 1 2 3; do postqueue -c "$dir/etc" -f; sleep 2; settle; done
        # Requeueing gives a message a new queue id, as if it were new mail.
        requeue=$(postqueue -c "$dir/etc" -j | sed -n 's/.*"queue_id": "\([^"]*\)".*later@.*/\1/p' | head -2)
        for id in $requeue; do postsuper -c "$dir/etc" -r "$id" 2>/dev/null; done
        sleep 2; settle
        # The destination comes back; what is left is delivered, except one message that is deleted.
        postsuper -c "$dir/etc" -d "$(postqueue -c "$dir/etc" -j | sed -n 's/.*"queue_id": "\([^"]*\)".*/\1/p' | tail -1)" 2>/dev/null
        postconf -c "$dir/etc" -e default_transport=discard:
        postfix -c "$dir/etc" reload >/dev/null 2>&1
        postqueue -c "$dir/etc" -f
        sleep 2; settle
        stop
        keep "$scenario" ;;
    held)
        start
        submit --scenario held --seed 5
        settle
        # Some are released, one is deleted, the others stay held at the end of the log.
        ids=$(find "$dir/queue/hold" -type f | sed 's,.*/,,' | sort)
        for id in $(echo "$ids" | awk 'NR % 2'); do postsuper -c "$dir/etc" -H "$id" 2>/dev/null; done
        postsuper -c "$dir/etc" -d "$(echo "$ids" | sed -n 2p)" 2>/dev/null
        # A released message waits for the next scan of the queue; this is that scan.
        postqueue -c "$dir/etc" -f
        sleep 2; settle
        stop
        keep "$scenario" ;;
    content-filter)
        cat >>"$dir/etc/master.cf" <<CF
scan unix - - n - 5 smtp
    -o smtp_send_xforward_command=yes -o smtp_tls_security_level=none
127.0.0.1:$((base+90)) inet n - n - - smtpd
    -o content_filter= -o mynetworks=127.0.0.0/8 -o smtpd_authorized_xforward_hosts=127.0.0.0/8
    -o smtpd_sasl_auth_enable=no -o smtpd_tls_security_level=none
    -o smtpd_sender_restrictions= -o smtpd_relay_restrictions= -o smtpd_data_restrictions=
    -o smtpd_recipient_restrictions=permit_mynetworks,reject
    -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks
CF
        postconf -c "$dir/etc" -e "content_filter=scan:[127.0.0.1]:$((base+91))"
        helper relay $((base+91)) $((base+90))
        simple "$scenario" filter --seed 6
        stop_helpers ;;
    proxy-filter)
        # The proxy stands before the queue of two services; the third has none.
        sed -i "s,-o syslog_name=$name/s.*,& -o smtpd_proxy_filter=127.0.0.1:$((base+91))," "$dir/etc/master.cf"
        cat >>"$dir/etc/master.cf" <<CF
127.0.0.1:$((base+90)) inet n - n - - smtpd
    -o mynetworks=127.0.0.0/8 -o smtpd_authorized_xforward_hosts=127.0.0.0/8
    -o smtpd_sasl_auth_enable=no -o smtpd_tls_security_level=none
    -o smtpd_sender_restrictions= -o smtpd_relay_restrictions= -o smtpd_data_restrictions=
    -o smtpd_recipient_restrictions=check_recipient_access,inline:{second-refused@elsewhere.test=REJECT},permit_mynetworks,reject
CF
        helper relay $((base+91)) $((base+90))
        simple "$scenario" filter --seed 7
        stop_helpers ;;
    iso-timestamps)
        # The other way to log: through syslog, here rsyslog with its usual ISO dates. Postfix
        # writes to /dev/log and nowhere else, so this run sees a /dev of its own, and the
        # rest of the machine does not notice.
        postconf -c "$dir/etc" -X maillog_file
        mkdir -p "$dir/dev"
        for node in null zero random urandom; do cp -a "/dev/$node" "$dir/dev/"; done
        cat >"$dir/etc/rsyslog.conf" <<CONF
module(load="imuxsock" SysSock.Use="on" SysSock.Name="/dev/log" SysSock.RateLimit.Interval="0" SysSock.UsePIDFromSystem="off")
\$FileOwner root
\$FileCreateMode 0644
action(type="omfile" file="$dir/maillog" template="RSYSLOG_FileFormat")
CONF
        touch "$dir/maillog"
        # A zone that is not UTC, so that the dates carry an offset.
        TZ=America/St_Johns; export TZ
        dir=$dir work=$work here=$here python=$python ports=$ports unshare -m sh -euc '
            mount --bind "$dir/dev" /dev
            rsyslogd -n -f "$dir/etc/rsyslog.conf" -i "$dir/rsyslog.pid" & pid=$!
            sleep 2
            postfix -c "$dir/etc" start >/dev/null 2>&1
            sleep 1
            "$python" "$here/submit.py" --ports "$ports" --certs "$work" --realm mail.example.test --out "$dir/truth.json" --scenario short --seed 8
            before=-1
            while size=$(wc -c <"$dir/maillog"); [ "$size" != "$before" ] || [ -n "$(find "$dir/queue/incoming" "$dir/queue/active" -type f)" ]; do
                before=$size; sleep 2
            done
            postfix -c "$dir/etc" stop >/dev/null 2>&1
            sleep 1
            kill $pid; wait $pid || :'
        unset TZ
        keep "$scenario" ;;
    proxied-clients)
        # Trusted front ends that pass on addresses and logins (XCLIENT); ports in the log.
        postconf -c "$dir/etc" -e smtpd_authorized_xclient_hosts=127.0.0.1 smtpd_client_port_logging=yes
        simple "$scenario" plain-and-proxied --seed 9 ;;
    discarded)
        # Answered with 250 and then thrown away: accepted, but the queue never sees it.
        simple "$scenario" discarded --seed 10 ;;
    hostile)
        # A proxy stands before the queue of smtps; a recipient may be kept back for its name.
        sed -i "s,-o syslog_name=$name/smtps.*,& -o smtpd_proxy_filter=127.0.0.1:$((base+91))," "$dir/etc/master.cf"
        cat >>"$dir/etc/master.cf" <<CF
127.0.0.1:$((base+90)) inet n - n - - smtpd
    -o mynetworks=127.0.0.0/8 -o smtpd_sasl_auth_enable=no -o smtpd_tls_security_level=none
    -o smtpd_sender_restrictions= -o smtpd_relay_restrictions= -o smtpd_data_restrictions=
    -o smtpd_recipient_restrictions=permit_mynetworks,reject
CF
        echo '/^"?watched / HOLD' >"$dir/etc/recipients"
        postconf -c "$dir/etc" -e "smtpd_recipient_restrictions=check_recipient_access regexp:$dir/etc/recipients, permit_sasl_authenticated, reject_unauth_destination" \
            "smtpd_forbidden_commands=CONNECT GET POST"
        helper relay $((base+91)) $((base+90))
        simple "$scenario" postfix-hostile --seed 17
        stop_helpers ;;
    service-names)
        # Each service has a name of another kind; the queue's processes have Postfix's own.
        sed -i "s,syslog_name=$name/smtps,syslog_name=postfix-smtps," "$dir/etc/master.cf"
        cat >>"$dir/etc/master.cf" <<CF
127.0.0.1:$((base+589)) inet n - n - - smtpd
    -o syslog_name=msa
CF
        simple "$scenario" services --seed 18 ;;
    *) echo "unknown scenario: $scenario" >&2; exit 64 ;;
    esac
done
