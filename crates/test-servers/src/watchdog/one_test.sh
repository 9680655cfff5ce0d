# one_test.sh <folder> <programs>: waits for the end of its input, then stops the server.
while read -r _; do :; done
"$2/pg_ctl" stop -s -m immediate -D "$1/data"
rm -rf "$1"
