# compose.yaml: read by a compose tool where there is one, and looked through by us in any case.
# shellcheck shell=sh disable=SC2154 # the names come from run

compose()	# whichever of the two there is
{
	if docker compose version >/dev/null 2>&1; then
		docker compose "$@"
	else
		docker-compose "$@"
	fi
}

check_compose()
{
	file=$top/docker/compose.yaml
	if ! compose version >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
		install_packages docker-compose >/dev/null 2>&1
	fi
	if compose version >/dev/null 2>&1; then
		holds "compose.yaml: config" compose -f "$file" config --quiet
	else
		skip "compose.yaml: config: no compose tool here (Debian: docker-compose)"
	fi
	/usr/bin/python3 -c 'import yaml' 2>/dev/null || install_packages python3-yaml >/dev/null
	holds "compose.yaml: confined as the image's own test is" \
		/usr/bin/python3 "$top/tests/docker/check_compose.py" "$file" "$top/docker/Dockerfile"
}
