#!/bin/sh
# Runs a private Exim on loopback, submits mail to it and keeps its logs.
#
#   exim.sh WORKDIR OUTDIR [SCENARIO...]
#
# WORKDIR gets the configuration, spool and logs of each run; OUTDIR/SCENARIO gets
# `log` (Exim's main log) and `truth.json`. Nothing in the system's own configuration or
# spool is read or changed. Run it as root, so that Exim can become its own user.
#
# Debian does not allow Exim and Postfix side by side. Where Postfix is installed, unpack
# the two packages exim4-base and exim4-daemon-heavy with `dpkg-deb -x` and set EXIM to the
# program; its user Debian-exim must exist.
set -eu

. "$(dirname "$0")/common.sh"
begin 13 "$@"
shift 2
chmod 755 "$work"
[ $# -gt 0 ] || set -- default log-selectors deferred no-tls-cipher junk-helo hostile

base=${BASE_PORT:-21000}
exim=${EXIM:-$(command -v exim4 || :)}
user=Debian-exim

[ -n "$exim" ] || missing="$missing exim4-daemon-heavy"
need openssl openssl
installed
id "$user" >/dev/null 2>&1 || { echo "the user $user is missing; exim4-base makes it"; exit 69; }
root "Exim cannot change its user otherwise"

ports smtp 25 mx 26 submission 587 submission6 588 smtps 465
certificates
# Certificates whose names imitate what follows them in the log.
n=0
for subject in '/OU=x" A=plain_server:victim@example.org S=1 id=1/CN=q' '/OU=x" S=1 id=1/CN=q' '/OU=x\\\\/CN=q" P=esmtpsa A=plain_server:victim@example.org S=1 id="'; do
    certificate "hostile$n" "$subject"
    n=$((n+1))
done
old_tls

# configure: $1 = further main settings
configure() {
    rm -rf "$dir"
    mkdir -p "$dir/spool" "$dir/log"
    accounts | sed 's/ /: /' >"$dir/accounts"
    cp "$work/server.pem" "$work/server.key" "$dir/"
    echo $((base+1)) >"$dir/later-port"
    chown -R "$user" "$dir"
    chown root "$dir"
    ipv6=
    if grep -q ' lo$' /proc/net/if_inet6 2>/dev/null; then ipv6="; [::1]:$((base+588))"; fi
    cat >"$dir/exim.conf" <<CONF
exim_path = $exim
keep_environment =
primary_hostname = mail.example.test
spool_directory = $dir/spool
log_file_path = $dir/log/%slog
pid_file_path = $dir/exim.pid
local_interfaces = <; [127.0.0.1]:$((base+25)) ; [127.0.0.1]:$((base+26)) ; [127.0.0.1]:$((base+587)) ; [127.0.0.1]:$((base+465)) $ipv6
tls_on_connect_ports = $((base+465))
tls_advertise_hosts = *
tls_certificate = $dir/server.pem
tls_privatekey = $dir/server.key
# Every version the library still knows.
tls_require_ciphers = LEGACY:%COMPAT:+VERS-TLS1.0:+VERS-TLS1.1
auth_advertise_hosts = \${if eq{\$received_port}{$((base+26))}{}{*}}
# A configuration named on the command line takes Exim's privileges away; it needs none here.
deliver_drop_privilege
acl_smtp_rcpt = rcpt
acl_smtp_data = data
message_size_limit = 300000
smtp_receive_timeout = 6s
host_lookup = 127.0.0.1
rfc1413_query_timeout = 0s
smtp_accept_max_nonmail = 50
never_users =
$1

begin acl
accept_all:
  accept
rcpt:
  deny recipients = refused@elsewhere.test : second-refused@elsewhere.test
       message = not this recipient
  deny senders = refused@example.test
  accept authenticated = *
  accept domains = example.test
  deny message = relay not permitted
data:
  deny condition = \${if match{\$h_subject:}{reject-me}}
       message = not this text
  # What an administrator may write about a message, with text that its sender chose.
  warn condition = \${if match{\$h_subject:}{warn-me}}
       logwrite = subject seen: \$h_subject:
  accept

begin routers
later:
  driver = manualroute
  local_parts = later
  route_list = * 127.0.0.1
  self = send
  transport = later
smarthost:
  driver = manualroute
  local_parts = smarthost
  route_list = * 127.0.0.1
  self = send
  transport = smarthost
bounce:
  driver = redirect
  local_parts = bounce
  allow_fail
  data = :fail: no such user here
slow:
  driver = redirect
  local_parts = frozen
  allow_defer
  data = :defer: not now
rest:
  driver = redirect
  data = :blackhole:

begin transports
later:
  driver = smtp
  port = \${readfile{$dir/later-port}{}}
  hosts_avoid_tls = *
  allow_localhost
smarthost:
  driver = smtp
  port = $((base+92))
  hosts_require_auth = *
  hosts_avoid_tls = *
  allow_localhost

begin retry
* * F,1h,1m

begin authenticators
plain_server:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if eq{\$auth3}{\${lookup{\$auth2}lsearch{$dir/accounts}{\$value}fail}}}
  server_set_id = \$auth2
login_server:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = \${if eq{\$auth2}{\${lookup{\$auth1}lsearch{$dir/accounts}{\$value}fail}}}
  server_set_id = \$auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${lookup{\$auth1}lsearch{$dir/accounts}{\$value}fail}
  server_set_id = \$auth1
# Exim allows one server authenticator per mechanism, so this one has a name of its own.
plain_noid:
  driver = plaintext
  public_name = XPLAIN
  server_prompts = :
  server_condition = \${if eq{\$auth3}{\${lookup{\$auth2}lsearch{$dir/accounts}{\$value}fail}}}
# What an administrator may write who wants "name something" to be the account "name".
plain_lenient:
  driver = plaintext
  public_name = XLENIENT
  server_prompts = :
  server_condition = \${if eq{\$auth3}{\${lookup{\${extract{1}{ }{\$auth2}}}lsearch{$dir/accounts}{\$value}fail}}}
  server_set_id = \$auth2
plain_client:
  driver = plaintext
  public_name = PLAIN
  client_send = ^outgoing@example.test^secret
CONF
}

helpers=
helper() { "$python" "$here/filter.py" "$@" & helpers="$helpers $!"; sleep 1; }
running=
stop() {
    if [ -n "$running" ]; then kill "$(cat "$running")" 2>/dev/null || :; running=; sleep 1; fi
    for pid in $helpers; do kill "$pid" 2>/dev/null || :; done
    helpers=
}
# An interrupted run must not leave a mail server behind.
trap stop EXIT
trap 'exit 130' INT TERM

start() {
    "$exim" -C "$dir/exim.conf" -bd -q1h
    running=$dir/exim.pid
    sleep 1
}

settle() { rests "$dir/log/mainlog" 2; }

submit() {
    "$python" "$here/submit.py" --ports "$ports" --certs "$work" --out "$dir/truth.json" \
        --anonymous XPLAIN --lost-login-fails \
        --authenticators '{"PLAIN":"PLAIN_SERVER","LOGIN":"LOGIN_SERVER","CRAM-MD5":"CRAM","XPLAIN":"PLAIN_NOID","XLENIENT":"PLAIN_LENIENT"}' "$@"
}

keep() {
    mkdir -p "$out/$1"
    touch "$dir/log/rejectlog"
    cp "$dir/log/mainlog" "$out/$1/log"; cp "$dir/truth.json" "$out/$1/"
    told "$1" log/mainlog
}

for scenario in "$@"; do
    dir=$work/exim-$scenario
    case $scenario in
    default)
        configure ""
        start
        submit --scenario exim-default --seed 11 ;;
    log-selectors)
        configure "log_selector = +pid +incoming_port +incoming_interface +smtp_mailauth +tls_sni +tls_peerdn +subject +received_recipients +received_sender +millisec +smtp_connection +smtp_protocol_error +smtp_syntax_error +smtp_confirmation +sender_on_delivery +deliver_time +proxy +8bitmime +dnssec +receive_time +queue_time +smtp_no_mail
acl_smtp_mailauth = accept_all
log_timezone
timezone = America/New_York
tls_verify_certificates = $work/server.pem
tls_try_verify_hosts = *"
        start
        submit --scenario exim-short --seed 12 ;;
    deferred)
        configure ""
        helper sink $((base+92))
        start
        submit --scenario exim-deferred --seed 13
        settle
        for _ in 1 2 3; do "$exim" -C "$dir/exim.conf" -qff; settle; done
        # The destination comes back, and the deferred mail leaves.
        echo $((base+92)) >"$dir/later-port"
        "$exim" -C "$dir/exim.conf" -qff ;;
    no-tls-cipher)
        # Without tls_cipher the log shows TLS only in the protocol name.
        configure "log_selector = -tls_cipher +smtp_mailauth +subject"
        start
        submit --scenario exim-deferred --seed 14 --tls-in-log no ;;
    junk-helo)
        # With this common setting for old clients a HELO name may hold anything, even
        # text that looks like the fields that follow it in the log.
        configure "helo_accept_junk_hosts = *
log_selector = +subject +smtp_mailauth +received_recipients"
        start
        submit --scenario exim-junk-helo --seed 15 ;;
    hostile)
        # All that a client can put into a line, all at once; one of the clients is asked for its user too.
        configure "helo_accept_junk_hosts = *
log_selector = +subject +smtp_mailauth +received_recipients +received_sender +tls_sni +tls_peerdn
acl_smtp_mailauth = accept_all
rfc1413_hosts = 127.0.0.1
rfc1413_query_timeout = 5s
tls_try_verify_hosts = *"
        sed -i '/^rfc1413_query_timeout = 0s/d' "$dir/exim.conf"
        helper ident 113
        start
        submit --scenario exim-hostile --seed 16 ;;
    *) echo "unknown scenario: $scenario" >&2; exit 64 ;;
    esac
    settle
    stop
    keep "$scenario"
done
