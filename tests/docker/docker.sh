# Under Docker, where a dockerd of our own can be started: the same image, and that it turns healthy by itself (Podman
# leaves the timing of health checks to systemd, which need not be there).
# shellcheck shell=sh disable=SC2154 # the names come from run

docker_ping()
{
	curl -sf -m 5 --unix-socket "$base/docker.sock" http://localhost/_ping
}

docker_up()
{
	if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
		skip "docker: no dockerd here (Debian: docker.io)"
		return 1
	fi
	cat >"$base/daemon.json" <<-C
		{ "data-root": "$base/docker", "exec-root": "$base/exec", "pidfile": "$base/docker.pid",
		  "hosts": ["unix://$base/docker.sock"], "iptables": false, "ip6tables": false, "ip-forward": false,
		  "bridge": "none", "group": "root" }
	C
	dockerd --config-file "$base/daemon.json" >"$base/dockerd.log" 2>&1 </dev/null &
	docker_pid=$!
	export DOCKER_HOST="unix://$base/docker.sock"
	if ! wait_until 20 docker_ping; then
		skip "docker: dockerd does not come up: $(tail -n 1 "$base/dockerd.log")"
		docker_down
		return 1
	fi
}

docker_down()
{
	[ -n "$docker_pid" ] || return 0
	docker kill tallyd >/dev/null 2>&1
	kill "$docker_pid"
	wait_until 20 process_gone "$docker_pid" || kill -9 "$docker_pid"
	wait "$docker_pid" 2>/dev/null
	docker_pid=
}

docker_is()	# docker_is TEMPLATE VALUE
{
	[ "$(docker inspect --format "$1" tallyd)" = "$2" ]
}

docker_start()
{
	docker run -d --name tallyd --network host --read-only --cap-drop ALL --security-opt no-new-privileges \
		--volume tallyd:/var/lib/tallyd --env "TALLYD_LISTEN=127.0.0.1:$port" --health-interval 1s "$image" >/dev/null
}

check_under_docker()
{
	docker_up || return
	if ! podman save --format docker-archive "$image" 2>/dev/null | docker load >/dev/null; then
		fail "docker: load"
		return
	fi
	port=$(free_port)
	docker_start || {
		fail "docker: run"
		return
	}
	if ! wait_until 20 is_ready; then
		fail "docker: ready" "$(docker logs tallyd 2>&1 | tail -n 5)"
		return
	fi
	pass "docker: ready"
	check_confined docker "$(docker inspect --format '{{.State.Pid}}' tallyd)"
	use_service docker web-2
	holds "docker: turns healthy by itself" wait_until 30 docker_is '{{.State.Health.Status}}' healthy
	docker stop --time 15 tallyd >/dev/null
	equal "docker: TERM ends it with 0" 0 "$(docker inspect --format '{{.State.ExitCode}}' tallyd)"
	docker start tallyd >/dev/null
	if wait_until 20 is_ready; then
		found_again docker web-2
	else
		fail "docker: starts again"
	fi
	docker rm --force --volumes tallyd >/dev/null
}
