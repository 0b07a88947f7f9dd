# What the scripts that run servers begin with: sourced by them, from the folder that they are in.

# begin HEAD WORKDIR OUTDIR [SCENARIO...]: where things are; without folders, lines 2 to HEAD of the script tell how it is called.
begin() {
    head=$1
    shift
    [ $# -ge 2 ] || { sed -n "2,${head}p" "$0"; exit 64; }
    here=$(cd "$(dirname "$0")" && pwd)
    mkdir -p "$1" "$2"
    work=$(cd "$1" && pwd) out=$(cd "$2" && pwd)
    python=${PYTHON:-python3}
    missing=
}

# need PROGRAM PACKAGE: what a script cannot do without.
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }

# installed: says what is missing, and ends the script.
installed() {
    [ -z "$missing" ] || { echo "install first: apt-get install$missing" >&2; exit 69; }
}

# root WHY: ends the script if somebody else runs it.
root() {
    [ "$(id -u)" = 0 ] || { echo "run as root: $1" >&2; exit 77; }
}

# ports NAME OFFSET...: the ports behind `base`, as submit.py is told them.
ports() {
    ports=
    while [ $# -gt 0 ]; do
        ports="$ports${ports:+,}\"$1\":$((base+$2))"
        shift 2
    done
    ports="{$ports}"
}

# certificate NAME SUBJECT: one that is signed by itself.
certificate() {
    [ -f "$work/$1.key" ] && [ -f "$work/$1.pem" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 3650 \
        -subj "$2" -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
}

# certificates: one for the server, one that nobody trusts for a client.
certificates() {
    for name in server stranger; do certificate $name "/CN=$name.example.test"; done
}

# old_tls: lets OpenSSL speak TLS 1.0 and 1.1, which Debian's refuses by itself, on both sides.
old_tls() {
    cat >"$work/openssl.cnf" <<CNF
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = any
[any]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
CNF
    OPENSSL_CONF=$work/openssl.cnf
    export OPENSSL_CONF
}

# accounts: a login and its password on each line.
accounts() { "$python" "$here/submit.py" --list-accounts; }

# sasl_accounts FOLDER NAME: the accounts where the SASL library looks for them for a program of this name.
sasl_accounts() {
    mkdir -p "$1"
    accounts | while read -r user password; do
        case $user in
        # A login without a domain gets the realm of the server, which is its host name.
        *@*) printf %s "$password" | saslpasswd2 -p -c -f "$1/sasldb2" -u "${user#*@}" "${user%@*}" ;;
        *) printf %s "$password" | saslpasswd2 -p -c -f "$1/sasldb2" -u mail.example.test "$user" ;;
        esac
    done
    cat >"$1/$2.conf" <<CONF
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: $1/sasldb2
mech_list: PLAIN LOGIN CRAM-MD5
CONF
}

# layered ARGUMENT...: goes on with the script where `root` is the whole system, or the one that is unpacked in the folder ROOT.
# What is written there is in memory, and gone when the script ends: a server that knows fixed paths can have them. So is the
# network, which is a loopback of its own, and every process that is still there.
layered() {
    root=$work/root
    [ -z "${INSIDE:-}" ] || return 0
    mkdir -p "$root" "$work/layer"
    export python
    INSIDE=yes exec unshare -m -u -n -p -f --kill-child sh -euc '
        work=$1 lower=$2
        shift 2
        mount -t tmpfs tmpfs "$work/layer"
        mkdir "$work/layer/upper" "$work/layer/work"
        mount -t overlay overlay -o "lowerdir=$lower,upperdir=$work/layer/upper,workdir=$work/layer/work" "$work/root"
        cd "$work/root"
        mkdir -p dev etc proc run tmp lab
        # Packages that were unpacked without `base-files` lack these.
        for name in bin sbin lib lib64; do [ -e $name ] || ln -s usr/$name $name; done
        [ -e var/run ] || ln -s ../run var/run
        mount -t tmpfs tmpfs dev
        for node in null zero random urandom; do cp -a "/dev/$node" dev/; done
        mount -t proc proc proc
        mount -t proc proc /proc
        "$python" -c "import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack(\"16sH14x\", b\"lo\", 0x49))"
        printf "127.0.0.1 mail.example.test mail localhost\n::1 localhost\n" >etc/hosts
        hostname mail.example.test
        cd /
        exec sh "$@"' sh "$work" "${ROOT:-/}" "$here/$(basename "$0")" "$work" "$out" "$@"
}

# inside PROGRAM...: becomes it, where `root` is the whole system; so it belongs into the background, or between brackets.
inside() { exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin TZ=UTC OPENSSL_CONF=/lab/openssl.cnf "$(command -v chroot)" "$root" "$@"; }

# user NAME ID HOME: one that the package would have made, in `root`.
user() {
    grep -q "^$1:" "$root/etc/group" 2>/dev/null || echo "$1:x:$2:" >>"$root/etc/group"
    grep -q "^$1:" "$root/etc/passwd" 2>/dev/null || echo "$1:x:$2:$2::$3:/bin/false" >>"$root/etc/passwd"
}

# syslog TEMPLATE: keeps what is written to syslog in `root` in the file `log` of `dir`.
syslog() {
    cat >"$dir/rsyslog.conf" <<CONF
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="$root/dev/log" RateLimit.Interval="0" UsePIDFromSystem="off")
\$LocalHostName mail
action(type="omfile" file="$dir/log" template="$1")
CONF
    touch "$dir/log"
    helper rsyslogd -n -f "$dir/rsyslog.conf" -i "$dir/rsyslog.pid"
}

# helper PROGRAM...: runs it until `stop`.
helper() { "$@" & helpers="${helpers:-} $!"; sleep 1; }

# listening PORT...: waits until somebody listens on each.
listening() {
    for _ in $(seq 30); do
        if "$python" -c "import socket, sys
for port in sys.argv[1:]: socket.create_connection(('127.0.0.1', port)).close()" "$@" 2>/dev/null; then return; fi
        sleep 1
    done
    echo "nobody listens on all of $*" >&2
    exit 70
}

# rests FILE SECONDS [BUSY]: waits until a log is as long as before, and BUSY says nothing.
rests() {
    before=-1
    for _ in $(seq 60); do
        busy=${3:+$($3)}
        size=$(wc -c <"$1")
        [ -z "$busy" ] && [ "$size" = "$before" ] && return
        before=$size
        sleep "$2"
    done
    echo "$1 did not come to rest" >&2
}

# told SCENARIO: how much is in `dir`.
told() { echo "$1: $(grep -o '"messages": [0-9]*' "$dir/truth.json"), $(wc -l <"$dir/$2") lines of log"; }

# keep_log SCENARIO: keeps the log and what was accepted.
keep_log() {
    mkdir -p "$out/$1"
    cp "$dir/log" "$dir/truth.json" "$out/$1/"
    told "$1" log
}
