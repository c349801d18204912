# The base image and ours.
# shellcheck shell=sh disable=SC2154 # the names come from run

make_base()
{
	if [ ! -d "$cache/$suite" ]; then
		echo "making a $suite base in $cache (about half a minute)"
		rm -rf "$cache/$suite.part"
		if ! debootstrap --variant=minbase --include=ca-certificates "$suite" "$cache/$suite.part" \
			>"$cache/debootstrap.log" 2>&1; then
			fail "debootstrap" "$(tail -n 3 "$cache/debootstrap.log")"
			return 1
		fi
		mv "$cache/$suite.part" "$cache/$suite"
	fi
	if ! import_base; then
		fail "import of the base"
		return 1
	fi
}

import_base()
{
	tar -C "$cache/$suite" --numeric-owner --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' \
		--exclude='./dev/*' -cf "$base/base.tar" . || return
	podman import -q --change 'CMD ["bash"]' "$base/base.tar" "$debian" >/dev/null || return
	rm -f "$base/base.tar"
}

make_image()
{
	commit=$(git -C "$top" rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
	# OCI images have no health check; chroot isolation needs no network or cgroup of its own.
	if ! buildah bud --isolation chroot --pull-never --format docker --build-arg "COMMIT=$commit" -t "$image" \
		-f "$top/docker/Dockerfile" "$top" >"$base/build.log" 2>&1; then
		fail "build of the image" "$(tail -n 15 "$base/build.log")"
		return 1
	fi
	pass "the image builds"
}

inspect()	# inspect TEMPLATE
{
	podman image inspect --format "$1" "$image"
}

check_image()
{
	equal "image: user" 65532:65532 "$(inspect '{{.Config.User}}')"
	equal "image: volume" '{"/var/lib/tallyd":{}}' "$(inspect '{{json .Config.Volumes}}')"
	equal "image: port" '{"8080/tcp":{}}' "$(inspect '{{json .Config.ExposedPorts}}')"
	equal "image: entry point" '["tallyd"]' "$(inspect '{{json .Config.Entrypoint}}')"
	equal "image: health check" '["CMD","tallyd","--check-health"]' "$(inspect '{{json .HealthCheck.Test}}')"
	equal "image: TERM stops it" SIGTERM "$(inspect '{{.Config.StopSignal}}')"
	# The base is 220 MB as debootstrap makes it; what we lay over it is our affair.
	above=$((($(inspect '{{.Size}}') - $(podman image inspect --format '{{.Size}}' "$debian")) / 1048576))
	if [ "$above" -lt 40 ]; then
		pass "image: $above MB above its base"
	else
		fail "image: $above MB above its base"
	fi
	said=$(podman run --rm --no-healthcheck --entrypoint sh "$image" -c 'command -v gcc make python3; ls /src 2>/dev/null')
	equal "image: nothing to build with, no sources" '' "$said"
	said=$(podman run --rm --no-healthcheck --entrypoint sh "$image" -c 'ldd /usr/local/bin/tallyd | grep -i "not found"')
	equal "image: every library is there" '' "$said"
	holds "image: --help" podman run --rm --no-healthcheck "$image" --help
}
