#!/bin/sh
# Runs a private Postfix on loopback as a relay that demands TLS and a login, for one sender.
#
#   relay.sh start WORKDIR    prints the port of submission, then that of TLS from the first byte
#   relay.sh stop WORKDIR
#
# Mail for example.test and corp.test is delivered to WORKDIR/mail, a Maildir for each address; other
# recipients are refused. WORKDIR/ca.pem is the certificate to trust, for the name localhost; the login is
# reports with the password in WORKDIR/password. Run it as root: Postfix insists.
set -eu

[ $# -eq 2 ] || { sed -n '2,10p' "$0"; exit 64; }
mkdir -p "$2"
work=$(cd "$2" && pwd)
missing=
. "$(dirname "$0")/common.sh"
dir=$work/postfix

if [ "$1" = stop ]; then
    postfix -c "$dir/etc" stop 2>/dev/null || true
    exit 0
fi

need postfix postfix
need saslpasswd2 sasl2-bin
need openssl openssl
ls /usr/lib/*/sasl2/libplain.so* >/dev/null 2>&1 || missing="$missing libsasl2-modules"
installed
root "Postfix cannot start otherwise"

# Postfix drops root and must still reach its folders.
chmod 755 "$work"
mkdir -p "$dir/etc/sasl" "$dir/queue" "$dir/data" "$work/mail"
chmod 755 "$dir"
chown postfix "$dir/data" "$work/mail"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=authority \
    -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$work/key.pem" -out "$work/request.pem" 2>/dev/null
echo subjectAltName=DNS:localhost >"$work/names"
openssl x509 -req -days 30 -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -extfile "$work/names" \
    -in "$work/request.pem" -out "$work/server.pem" 2>/dev/null
openssl rand -hex 16 | tr -d '\n' >"$work/password"
saslpasswd2 -p -c -f "$dir/etc/sasl/sasldb2" -u localhost reports <"$work/password"
chmod 644 "$dir/etc/sasl/sasldb2"
cat >"$dir/etc/sasl/smtpd.conf" <<CONF
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: $dir/etc/sasl/sasldb2
mech_list: PLAIN LOGIN
CONF

# Two free ports.
ports=$(python3 -c 'import socket
held = [socket.socket() for _ in range(2)]
for one in held: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held))')
submission=${ports% *} submissions=${ports#* }

uid=$(id -u postfix) gid=$(id -g postfix)
cat >"$dir/etc/main.cf" <<CF
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
meta_directory = $(postconf -dh meta_directory)
maillog_file = $dir/maillog
maillog_file_prefixes = $dir
myhostname = localhost
mydestination =
mynetworks = 192.0.2.255/32
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = example.test, corp.test
virtual_mailbox_base = $work/mail
virtual_mailbox_maps = regexp:$dir/etc/mailboxes
virtual_minimum_uid = 1
virtual_uid_maps = static:$uid
virtual_gid_maps = static:$gid
virtual_mailbox_limit = 0
message_size_limit = 10240000
cyrus_sasl_config_path = $dir/etc/sasl
smtpd_sasl_local_domain = localhost
smtpd_tls_cert_file = $work/server.pem
smtpd_tls_key_file = $work/key.pem
smtpd_error_sleep_time = 0
CF
# Ann and Bob have mailboxes, and nobody else.
for address in ann@example.test bob@example.test ann@corp.test bob@corp.test; do
    echo "/^$address\$/ $address/"
done >"$dir/etc/mailboxes"
options='-o smtpd_sasl_auth_enable=yes -o smtpd_tls_auth_only=yes -o smtpd_relay_restrictions=permit_sasl_authenticated,reject -o smtpd_recipient_restrictions=reject_unlisted_recipient,permit_sasl_authenticated,reject'
cat >"$dir/etc/master.cf" <<CF
127.0.0.1:$submission inet n - n - - smtpd -o smtpd_tls_security_level=encrypt $options
127.0.0.1:$submissions inet n - n - - smtpd -o smtpd_tls_wrappermode=yes $options
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
virtual unix - n n - - virtual
error unix - - n - - error
smtp unix - - n - - smtp
proxymap unix - - n - - proxymap
showq unix n - n - - showq
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
CF
# Nobody may wait for the daemons' end of a pipe.
postfix -c "$dir/etc" start >"$work/start.log" 2>&1 </dev/null || { cat "$work/start.log" >&2; exit 1; }
echo "$submission $submissions"
