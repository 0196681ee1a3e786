# run_guest NAME: xl create with /guests/NAME.cfg, types what /guests/NAME.steps says, waits for the end, reports.
# A steps file has pairs of lines: a text to wait for after the previous one (grep -F), and what to type then (printf escapes).

uptime_s() {
	cut -d. -f1 /proc/uptime
}

alive() {
	xl list $1 2>/dev/null | tail -1 | awk '{ print $5 }' | grep -q '^[rb-][b-][p-]---$'
}

# Waits until the log has the text after the first $offset bytes; then $offset is the log's size at that moment.
wait_for() {
	while :; do
		size=$(cat $log 2>/dev/null | wc -c)
		if [ "$size" -gt $offset ] && head -c $size $log | tail -c +$((offset + 1)) | grep -qF -- "$1"; then
			offset=$size
			return 0
		fi
		alive $name || return 1
		[ $(uptime_s) -ge $deadline ] && return 1
		sleep 0.1
	done
}

run_guest() {
	name=$1
	log=/var/log/xen/guest-$name.log
	offset=0
	. /guests/$name.env
	deadline=$(($(uptime_s) + timeout))
	started=$(cut -d' ' -f1 /proc/uptime)
	if ! xl create /guests/$name.cfg >/var/log/xl.$name 2>&1; then
		echo "@@ guest $name refused $(base64 -w0 /var/log/xl.$name)"
		xl destroy $name 2>/dev/null
		return
	fi
	domid=$(xl domid $name)
	tty=
	while read -r wanted && read -r typed; do
		wait_for "$wanted" || break
		[ -n "$tty" ] || tty=$(xenstore-read /local/domain/$domid/console/tty)
		printf "$typed" >$tty
	done </guests/$name.steps
	if [ -n "$until" ]; then
		wait_for "$until"
	else
		while alive $name && [ $(uptime_s) -lt $deadline ]; do
			sleep 0.1
		done
	fi
	sleep 0.3
	state=$(xl list -v $name | tail -1 | awk '{ print $5, $8 }')
	echo "@@ guest $name $(echo $state) $started $(cut -d' ' -f1 /proc/uptime) $(base64 -w0 $log)"
	xl destroy $name 2>/dev/null
}
