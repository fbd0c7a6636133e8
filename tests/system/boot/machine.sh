# SPDX-License-Identifier: BSD-2-Clause
# machine.sh - a plain Debian with Postfix and Unbound, whose systemd runs as the first process of namespaces and of a
# cgroup of its own. Read by the programs beside this, from the top of the tree.
#
#   machine_for SUITE [PACKAGE...]  builds Assay's packages, or takes those of DEBS=FOLDER, and makes the folder that a
#                                   machine starts as: that Debian, those of its PACKAGEs, ours in /root/build/deb, and
#                                   all that ours depend on in apt's cache, since there is no way out later.
#                                   Ends with 77 where it cannot be done
#   machine_on                      starts one machine, and waits for it
#   machine_off                     ends it
#   host COMMAND...                 runs a command in it; shell TEXT: by sh -c
#   show UNIT PROPERTY              of systemctl
#
# Sets suite, home (where logs lie), root (the machine's files), init (its first process), postfix (its unit's name).
# When the program ends, all ends.

machine_for() {
    suite=$1
    shift
    home=$PWD/${BUILD:-build}/packages/$suite
    root=$home/boot.$$ plain=$home/boot-plain starter='' init=''
    [ "$(id -u)" = 0 ] || { echo "skipped: needs root"; exit 77; }
    cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    group=$cgroups/assay-boot.$$
    [ -n "$cgroups" ] && mkdir "$group" 2>/dev/null || { echo "skipped: no cgroup2 hierarchy that may be written"; exit 77; }
    trap machine_off EXIT
    trap 'exit 130' INT TERM HUP
    debs=${DEBS:-$home/debs}
    [ -n "${DEBS:-}" ] && [ -e "$home/base/etc/debian_version" ] || PACKAGES_ONLY=1 tests/system/packages/check "$suite" || exit
    machine_plain "$@"
}

machine_plain() {
    local needs
    needs=$({ echo "$@"; for deb in "$debs"/*.deb; do dpkg-deb -f "$deb" Depends; done; } | sha256sum)
    if [ "$(cat "$plain/needs" 2>/dev/null)" != "$needs" ]; then
        rm -rf --one-file-system "$plain"
        cp -a "$home/base" "$plain"
        mkdir -p "$plain/root/build/deb"
        cp "$debs"/*.deb "$plain/root/build/deb/"
        cp /etc/resolv.conf "$plain/etc/resolv.conf"
        unshare --mount --pid --fork --kill-child sh -c 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
            root=$0 && exec chroot "$root" /usr/bin/env -i \
            PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"' "$plain" \
            sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends systemd systemd-sysv dbus postfix unbound \
                dns-root-data "$@" && apt-get clean && rm -f /usr/sbin/policy-rc.d &&
                apt-get install -y -qq --download-only /root/build/deb/*.deb' sh "$@" \
            >"$home/boot-install.log" 2>&1 || { tail -n 15 "$home/boot-install.log"; echo "the packages cannot be had"; exit 1; }
        echo "$needs" >"$plain/needs"
    fi
    rm -f "$plain"/root/build/deb/*
    cp "$debs"/*.deb "$plain/root/build/deb/"
    rm -f "$plain"/root/build/deb/*-dbgsym_*.deb
}

machine_on() {
    rm -rf --one-file-system "$root"
    cp -a "$plain" "$root"
    mkdir -p "$group" || exit 1
    # A container loads no modules of the kernel; Debian 13's unit fails there.
    ln -sf /dev/null "$root/etc/systemd/system/systemd-modules-load.service"
    # Debian 13's Postfix is one unit; Debian 12's has one for each instance.
    postfix=postfix
    grep -q "ExecStart=/bin/true" "$root/lib/systemd/system/postfix.service" && postfix=postfix@-
    cat >"$root/root/power-on" <<'INIT'
# In new namespaces, as their first process: this folder becomes all there is, then systemd.
cd "$1" && mount --make-rprivate / && mount --bind . . && cd "$1" || exit 1
mount -t proc proc proc && mount -t sysfs sysfs sys && mount -t tmpfs tmpfs run && mount -t tmpfs tmpfs tmp &&
    mount -t tmpfs -o mode=755 tmpfs dev || exit 1
for n in null zero full random urandom tty; do touch "dev/$n" && mount --bind "/dev/$n" "dev/$n"; done
mkdir dev/pts dev/shm oldroot && mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts &&
    ln -s pts/ptmx dev/ptmx && ln -s /proc/self/fd dev/fd
mount -t cgroup2 cgroup2 sys/fs/cgroup || exit 1
ip link set lo up && ip address add 192.0.2.1/24 dev lo && ip address add 192.0.2.66/24 dev lo || exit 1
hostname mx.example.org && pivot_root . oldroot && cd / && umount -l /oldroot || exit 1
exec /usr/bin/env -i container=assay PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=multi-user.target
INIT
    (
        echo "$BASHPID" >"$group/cgroup.procs"
        exec setsid unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child bash "$root/root/power-on" "$root" \
            >"$home/boot.log" 2>&1 </dev/null
    ) &
    starter=$!
    for _ in $(seq 60); do
        init=$(head -n 1 "$group/init.scope/cgroup.procs" 2>/dev/null)
        [ -n "$init" ] && break
        kill -0 "$starter" 2>/dev/null || break
        sleep 0.5
    done
    [ -n "$init" ] || { cat "$home/boot.log"; echo "skipped: systemd cannot be started here"; exit 77; }
}

machine_off() {
    if [ -n "$starter" ]; then
        kill -KILL "$starter" 2>/dev/null # unshare passes over SIGTERM; its child goes with it
        wait "$starter" 2>/dev/null
    fi
    starter='' init=''
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
        [ -d "$group" ] || break
        sleep 0.5
    done
    rm -rf --one-file-system "$root"
}

host() { nsenter -t "$init" -m -p -n -u -i -C /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }
shell() { host sh -c "$1"; }
show() { host systemctl show -P "$2" "$1"; }
