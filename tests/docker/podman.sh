# Under Podman: everything that the image promises.
# shellcheck shell=sh disable=SC2154 # the names come from run

# With the volume, as confined as the documentation says.  What Podman itself says goes to a file: where there is no
# systemd it complains about the timers of health checks at every start.
podman_start()	# podman_start NAME [ARGUMENT...]
{
	name=$1
	shift
	podman run -d --name "$name" --network host --read-only --read-only-tmpfs=false --cap-drop ALL \
		--security-opt no-new-privileges --volume tallyd:/var/lib/tallyd --env "TALLYD_LISTEN=127.0.0.1:$port" \
		"$image" "$@" >>"$base/podman.log" 2>&1
}

podman_ready()	# podman_ready NAME
{
	if wait_until 20 is_ready; then
		pass "podman: $1 is ready"
	else
		fail "podman: $1 is ready" "$(podman logs "$1" 2>&1 | tail -n 5)"
		return 1
	fi
}

podman_pid()
{
	podman inspect --format '{{.State.Pid}}' "$1"
}

podman_gone()	# podman_gone NAME: ended, and its exit code known
{
	[ "$(podman inspect --format '{{.State.Status}}' "$1")" = exited ]
}

# The calls a user makes first; what they leave behind is looked for after each restart.
use_service()	# use_service ENGINE ID
{
	equal "$1: PUT makes a container" 201 "$(http PUT "/containers/$2" '{"name":"web","config":{"labels":{"app":"web"}}}')"
	equal "$1: PATCH starts it" 200 \
		"$(http PATCH "/containers/$2/status" '{"state":"CONTAINER_RUNNING","pid":4711}' application/merge-patch+json)"
	equal "$1: it is listed" 200 "$(http GET '/containers?state=running&labelSelector=app%3Dweb')"
	equal "$1: once" 1 "$(member ".items | map(select(.id == \"$2\")) | length")"
}

found_again()	# found_again ENGINE ID
{
	equal "$1: the container is found again" 200 "$(http GET "/containers/$2/status")"
	equal "$1: running" CONTAINER_RUNNING "$(member .state)"
	equal "$1: with its pid" 4711 "$(member .pid)"
}

podman_health()
{
	holds "podman: healthy" podman healthcheck run first
	refuses "podman: the health check sees an address where nobody is" 'nobody answers' \
		podman exec --env TALLYD_LISTEN=127.0.0.1:1 first tallyd --check-health
}

# As the image is without any word of ours: a network of its own, its address and its permission for it.
podman_default()
{
	podman run -d --name plain --network none --read-only --read-only-tmpfs=false --cap-drop ALL \
		--security-opt no-new-privileges "$image" >>"$base/podman.log" 2>&1
	holds "podman: the default command serves in a network of its own" wait_until 20 podman healthcheck run plain
	refuses "podman: without the permission all addresses are refused" insecure \
		podman run --rm --no-healthcheck --network none "$image" --listen 0.0.0.0:8080
	podman rm --force --time 15 --volumes plain >>"$base/podman.log" 2>&1
}

podman_disk()
{
	dir=$(podman volume inspect --format '{{.Mountpoint}}' tallyd)
	wait_until 10 test -s "$dir/containers/web-1/status"
	equal "podman: the checkpoint is the service's own" 65532:65532:600 \
		"$(stat -c %u:%g:%a "$dir/containers/web-1/status" 2>&1)"
	equal "podman: and containerd's format" v1 "$(jq -r .Version "$dir/containers/web-1/status" 2>&1)"
	refuses "podman: the root file system is read-only, for root too" 'read-only' \
		podman exec --user 0 first touch /usr/local/bin/x
}

podman_stop_and_start()
{
	podman stop --time 15 first >>"$base/podman.log" 2>&1
	equal "podman: TERM ends it with 0" 0 "$(podman inspect --format '{{.State.ExitCode}}' first)"
	podman rm first >>"$base/podman.log" 2>&1
	podman_start second --insecure
	podman_ready second && found_again "podman, another container on the volume" web-1
	podman kill --signal KILL second >>"$base/podman.log" 2>&1
	wait_until 10 podman_gone second
	podman start second >>"$base/podman.log" 2>&1
	podman_ready second && found_again "podman, after kill -9" web-1
}

check_under_podman()
{
	port=$(free_port)
	podman_start first || {
		fail "podman: run" "$(tail -n 3 "$base/podman.log")"
		return
	}
	podman_ready first || return
	check_confined podman "$(podman_pid first)"
	use_service podman web-1
	podman_health
	podman_disk
	podman_stop_and_start
	podman_default
	podman rm --force --time 15 second >>"$base/podman.log" 2>&1
}
