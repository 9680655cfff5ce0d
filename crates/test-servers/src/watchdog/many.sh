# many.sh <root> <programs> <linger seconds>: stops the server once nobody has used it so long.
# Each test process holds `users.lock` shared; this script holds it alone while it clears up.
exec 8>"$1/watchdog.lock" 9>"$1/users.lock"
flock -n 8 || exit 0
idle=0
while :; do
    sleep 1
    if flock -n 9; then
        idle=$((idle + 1))
        [ "$idle" -ge "$3" ] && break
        flock -u 9
    else
        idle=0
    fi
done
"$2/pg_ctl" stop -s -m immediate -D "$1/server/data"
rm -rf "$1/server"
# Whoever waits for `users.lock` must find no watchdog any more, and start one.
exec 8>&-
