# What every part of the image's test uses: checks that count, waiting for a condition, free ports, requests.
# shellcheck shell=sh disable=SC2154 # the names come from run

pass()
{
	passed=$((passed + 1))
	echo "ok      $1"
}

fail()	# fail WHAT [DETAIL]
{
	failed=$((failed + 1))
	echo "FAILED  $1${2:+: $2}"
}

skip()
{
	echo "SKIP    $1"
}

equal()	# equal WHAT WANTED GOT
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "wanted '$2', got '$3'"
	fi
}

holds()	# holds WHAT COMMAND...: the command succeeds
{
	what=$1
	shift
	if said=$("$@" 2>&1); then
		pass "$what"
	else
		fail "$what" "$(echo "$said" | tail -n 3)"
	fi
}

refuses()	# refuses WHAT WORDS COMMAND...: the command fails and says why
{
	what=$1
	words=$2
	shift 2
	if said=$("$@" 2>&1); then
		fail "$what" "it succeeded"
	elif ! echo "$said" | grep -qi -e "$words"; then
		fail "$what" "no word of '$words' in: $(echo "$said" | tail -n 3)"
	else
		pass "$what"
	fi
}

# Try a command ten times a second until it succeeds, for at most so many seconds.
wait_until()	# wait_until SECONDS COMMAND...
{
	tries=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

process_gone()	# process_gone PID
{
	! kill -0 "$1" 2>/dev/null
}

# A port that is free now.  Somebody may take it before we do; the start then fails and says so.
free_port()
{
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# The status of a request to the service at $port, the body in $base/body.
http()	# http METHOD PATH [JSON [TYPE]]
{
	if [ $# -gt 2 ]; then
		curl -s -m 10 -o "$base/body" -w '%{http_code}' -X "$1" -H "Content-Type: ${4:-application/json}" \
			--data-binary "$3" "http://127.0.0.1:$port$2"
	else
		curl -s -m 10 -o "$base/body" -w '%{http_code}' -X "$1" "http://127.0.0.1:$port$2"
	fi
}

is_ready()
{
	[ "$(http GET /readyz)" = 200 ]
}

member()	# member JQ_PATH: of the last body
{
	jq -r "$1" "$base/body"
}

proc_status()	# proc_status PID FIELD: one field of /proc/PID/status
{
	awk -v f="$2:" '$1 == f { print $2 }' "/proc/$1/status"
}

# What is inside the container is told by the kernel, not by the engine that was asked for it.
check_confined()	# check_confined ENGINE PID
{
	equal "$1: runs as 65532" 65532 "$(proc_status "$2" Uid)"
	equal "$1: group 65532" 65532 "$(proc_status "$2" Gid)"
	equal "$1: no capabilities" 0000000000000000 "$(proc_status "$2" CapEff)"
	equal "$1: and none to be had" 0000000000000000 "$(proc_status "$2" CapBnd)"
	equal "$1: NoNewPrivs" 1 "$(proc_status "$2" NoNewPrivs)"
	equal "$1: seccomp" 2 "$(proc_status "$2" Seccomp)"
}

# ---- setting up and taking down ----

require_privileges()
{
	if [ "$(id -u)" -ne 0 ]; then
		skip "image: needs root, to unpack a base system and to run containers"
		return 1
	fi
	if ! unshare --mount true 2>/dev/null; then
		skip "image: needs CAP_SYS_ADMIN, to mount and to make namespaces"
		return 1
	fi
	if ! command -v apt-get >/dev/null; then
		skip "image: needs a Debian, to make the base of"
		return 1
	fi
}

install_packages()
{
	apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "$@"
}

install_tools()
{
	# runc, since crun refuses hosts that have cgroups of both versions.
	missing=
	for tool in podman buildah debootstrap runc conmon curl jq python3; do
		command -v "$tool" >/dev/null || missing="$missing $tool"
	done
	[ -z "$missing" ] && return
	# shellcheck disable=SC2086 # one word per package
	if ! install_packages ca-certificates $missing >/dev/null; then
		fail "install$missing"
		return 1
	fi
}

set_up()
{
	# Short, since the paths of unix sockets end at 107 bytes.
	base=$(mktemp -d "${TMPDIR:-/tmp}/tallyd.XXXXXX") || return 1
	mkdir -p "$base/tmp" "$cache"
	export CONTAINERS_CONF="$base/containers.conf" CONTAINERS_STORAGE_CONF="$base/storage.conf"
	# Ulimits above our own need CAP_SYS_RESOURCE, which many sandboxes lack.
	# shellcheck disable=SC3045 # dash has -H
	files=$(ulimit -Hn)
	cat >"$CONTAINERS_CONF" <<-C
		[containers]
		netns = "host"
		default_ulimits = ["nofile=$files:$files", "nproc=32768:32768"]
		[engine]
		runtime = "runc"
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		tmp_dir = "$base/tmp"
	C
	cat >"$CONTAINERS_STORAGE_CONF" <<-C
		[storage]
		driver = "$(storage_driver)"
		graphroot = "$base/root"
		runroot = "$base/run"
	C
}

storage_driver()	# overlay, where an overlay can be mounted on the temporary folder; vfs copies, but always works
{
	mkdir -p "$base/o/l" "$base/o/u" "$base/o/w" "$base/o/m"
	if unshare --mount mount -t overlay overlay -o "lowerdir=$base/o/l,upperdir=$base/o/u,workdir=$base/o/w" "$base/o/m" \
		2>/dev/null; then
		echo overlay
	else
		echo vfs
	fi
	rm -rf "$base/o"
}

take_down()
{
	[ -n "$base" ] || return 0
	docker_down
	if [ -d "$base/root" ]; then
		podman rm --all --force --time 2 >/dev/null 2>&1
	fi
	awk -v b="$base/" 'index($2, b) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do
		umount -l "$mount"
	done
	rm -rf "$base"
	base=
}
