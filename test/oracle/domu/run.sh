# run_guest NAME: xl create with /guests/NAME.cfg (and its peer's, if it has one), types what /guests/NAME.steps says, waits for the end, reports.
# Reports go to the second serial port, which is dom0's own: what dom0 sends to Xen's console may lose characters when there is much of it.
# A steps file has pairs of lines: a text to wait for after the previous one (grep -F), and what to type then (printf escapes).

stty -F /dev/ttyS1 raw -echo 115200 </dev/ttyS1

# report NAME STATE FILE: one line, with a sum over what it says.
report() {
	body=$(gzip -c $3 | base64 -w0)
	sum=$(printf '%s' "$2 $body" | md5sum | cut -d' ' -f1)
	echo "@@ guest $1 $sum $2 $body" >/dev/ttyS1
}

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
		report $name refused /var/log/xl.$name
		xl destroy $name 2>/dev/null
		return
	fi
	if [ -n "$peer" ] && ! xl create /guests/$peer.cfg >/var/log/xl.$peer 2>&1; then
		report $peer refused /var/log/xl.$peer
		xl destroy $peer 2>/dev/null
		peer=
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
	while [ -n "$peer" ] && alive $peer && [ $(uptime_s) -lt $deadline ]; do
		sleep 0.1
	done
	sleep 0.3
	if [ -n "$peer" ]; then
		state=$(xl list -v $peer | tail -1 | awk '{ print $5, $8 }')
		report $peer "$(echo $state) $started $(cut -d' ' -f1 /proc/uptime)" /var/log/xen/guest-$peer.log
		xl destroy $peer 2>/dev/null
	fi
	state=$(xl list -v $name | tail -1 | awk '{ print $5, $8 }')
	report $name "$(echo $state) $started $(cut -d' ' -f1 /proc/uptime)" $log
	xl destroy $name 2>/dev/null
}
