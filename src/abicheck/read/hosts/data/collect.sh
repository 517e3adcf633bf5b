#!/bin/sh
# Collects what abicheck has to know of a host that has no Python, or an old one, and writes it to standard output:
#
#     abicheck host --script > collect.sh
#     sh collect.sh > collected.txt                 on the host, or in the image
#     abicheck host collected.txt --save prod.json
#
# ROOT=DIR before `sh` makes it collect from a root file system in DIR. It only reads. Of each library it takes the tables that a
# dynamic loader reads, no code and no data; of the environment the variables that a loader reads. It needs a POSIX shell, awk,
# dd, ls, od, readlink, sort and uname, as coreutils and busybox have them.
set -u
LC_ALL=C
export LC_ALL
ROOT=${ROOT:-}
ROOT=${ROOT%/}
BLOCK=4096
tab=$(printf '\t')
seen=' '

if printf 'x' | base64 >/dev/null 2>&1; then
    encoding=base64
    encode() { base64; }
else
    encoding=hex
    encode() { od -An -v -tx1; }
fi

# From the first block of a file: W (take the file as a whole), or what to take of it and where PT_LOADs and PT_DYNAMIC lie.
HEAD='
function number(at, size,    value) { value = 0; while (size--) value = value * 256 + b[at + size]; return value }
{ for (i = 1; i <= NF; i++) b[n++] = $i }
END {
    print "R", 0, 4096
    if (n < 64 || b[0] != 127 || b[1] != 69 || b[2] != 76 || b[3] != 70 || b[4] != 2 || b[5] != 1) exit
    table = number(32, 8); size = number(54, 2); count = number(56, 2)
    if (size != 56 || table + size * count > n) { print "W"; exit }
    for (i = 0; i < count; i++) {
        at = table + i * size; type = number(at, 4); offset = number(at + 8, 8); length_ = number(at + 32, 8)
        if (type == 1) print "L", offset, number(at + 16, 8), length_
        else if (type == 2) print "D", offset, length_
        else if (type == 3 || type == 4 || type == 1685382483) print "R", offset, length_
    }
}'

# From these lines and the bytes of PT_DYNAMIC: runs of blocks that hold all tables, as `first count`.
TABLES='
function number(at, size,    value) { value = 0; while (size--) value = value * 256 + b[at + size]; return value }
function take(offset, size,    block) {
    if (offset + size > whole) size = whole - offset
    for (block = int(offset / 4096); block * 4096 < offset + size; block++) { wanted[block] = 1; if (block > last) last = block }
}
function place(address, size,    i) {
    for (i = 0; i < loads; i++)
        if (address >= start[i] && address < start[i] + length_[i]) {
            address += where[i] - start[i]
            if (!(i in low) || address < low[i]) low[i] = address
            if (size >= 0 && address + size > high[i]) high[i] = address + size
            if (size < 0 && address > open[i]) open[i] = address
            return
        }
}
BEGIN { loads = 0 }
$1 == "R" { take($2, $3); next }
$1 == "L" { where[loads] = $2; start[loads] = $3; length_[loads++] = $4; next }
$1 == "D" { begin = $2; size = $3; take(begin, size); next }
$1 == "B" { next }
{ for (i = 1; i <= NF; i++) b[n++] = $i }
END {
    for (at = begin % 4096; size >= 16 && at + 16 <= n && at < begin % 4096 + size; at += 16) {
        tag = number(at, 8)
        if (tag == 0) break
        value[tag] = number(at + 8, 8)
    }
    place_sized(5, 10); place_sized(7, 8); place_sized(17, 18); place_sized(23, 2); place_sized(36, 35)
    split("4 6 1879047925 1879048176 1879048190 1879048188", unsized, " ")
    for (i in unsized) if (unsized[i] in value) place(value[unsized[i]], -1)
    for (i = 0; i < loads; i++)
        if (i in low) take(low[i], (open[i] >= high[i] ? where[i] + length_[i] : high[i]) - low[i])
    for (block = 0; block <= last + 1; block++) {
        if (block in wanted && !(block - 1 in wanted)) first = block
        if (!(block in wanted) && block - 1 in wanted) print first, block - first
    }
}
function place_sized(tag, size_tag) { if (tag in value) place(value[tag], size_tag in value ? value[size_tag] : 0) }'

bytes() { # FILE FIRST COUNT: blocks of a file as numbers
    dd if="$1" bs=$BLOCK skip="$2" count="$3" 2>/dev/null | od -An -v -tu1
}

run() { # FILE FIRST COUNT: blocks of a file
    printf '@\t%s\n' $(($2 * BLOCK))
    dd if="$1" bs=$BLOCK skip="$2" count="$3" 2>/dev/null | encode
}

text() { # NAME: standard input as a value of its own
    printf 'text\t%s\n@\t0\n' "$1"
    encode
}

is_new() { # KEY
    case $seen in *" $1 "*) return 1 ;; esac
    seen="$seen$1 "
}

emit() { # PATH: a regular file by its path without links
    is_new "$1" || return 0
    file=$ROOT$1
    # shellcheck disable=SC2046
    set -- "$1" $(ls -nid -- "$file" 2>/dev/null)
    [ $# -ge 7 ] || return 0
    printf 'file\t%s\t%s\t%s\n' "$1" "$7" "$2"
    if ! [ -r "$file" ]; then
        printf 'unreadable\n'
        return 0
    fi
    case ${1##*/} in
    ld-*.so* | ld.so* | ld64.so* | libc.musl-* | ld.so.cache | ld.so.preload | *.path) run "$file" 0 $(($7 / BLOCK + 1)) && return 0 ;;
    esac
    case $1 in */*-linux-musl/libc.so | */musl/lib/libc.so) run "$file" 0 $(($7 / BLOCK + 1)) && return 0 ;; esac
    head=$(bytes "$file" 0 1 | awk "$HEAD")
    case $head in
    *W*) run "$file" 0 $(($7 / BLOCK + 1)) ;;
    *D*)
        # shellcheck disable=SC2046
        set -- "$1" "$7" $(printf '%s\n' "$head" | awk '$1 == "D" { print int($2 / 4096), int(($2 % 4096 + $3) / 4096) + 1 }')
        { printf '%s\n' "$head" && bytes "$file" "$3" "$4"; } | awk -v whole="$2" "$TABLES" |
            while read -r first count; do run "$file" "$first" "$count"; done
        ;;
    *) run "$file" 0 1 ;;
    esac
    case ${1##*/} in
    libc.so.6 | libc-2.*)
        banner=$(grep -a -o 'GNU C Library ([^)]*)[^)]* version [0-9]*[.][0-9]*' "$file" 2>/dev/null | awk 'NR == 1')
        [ -n "$banner" ] && printf 'banner\t%s\n' "$banner" || run "$file" 0 $(($2 / BLOCK + 1))
        ;;
    esac
}

# Follows PATH inside the root, tells of every link on the way, and leaves the path without links in `real`.
follow() { # PATH
    rest=$1
    real=
    links=0
    while [ -n "$rest" ]; do
        rest=${rest#/}
        name=${rest%%/*}
        case $rest in */*) rest=/${rest#*/} ;; *) rest= ;; esac
        case $name in
        '' | .) continue ;;
        ..)
            real=${real%/*}
            continue
            ;;
        esac
        if [ -L "$ROOT$real/$name" ]; then
            target=$(readlink "$ROOT$real/$name")
            links=$((links + 1))
            [ $links -le 40 ] || return 1
            is_new "link:$real/$name" && printf 'link\t%s\t%s\n' "$real/$name" "$target"
            case $target in /*) real= ;; esac
            rest=/$target$rest
        elif [ -e "$ROOT$real/$name" ]; then
            real=$real/$name
        else
            return 1
        fi
    done
}

visit() { # PATH: a file that may be behind links
    follow "$1" || return 0
    [ -f "$ROOT$real" ] && emit "$real"
}

directory() { # PATH: the libraries in a directory
    follow "$1" || return 0
    [ -d "$ROOT$real" ] || return 0
    is_new "directory:$real" || return 0
    printf 'directory\t%s\n' "$real"
    here=$real
    for entry in "$ROOT$here"/*.so*; do
        [ -L "$entry" ] || [ -f "$entry" ] || continue
        visit "$here/${entry##*/}"
    done
    for entry in "$ROOT$here"/glibc-hwcaps/*/ "$ROOT$here"/tls/ "$ROOT$here"/haswell/ "$ROOT$here"/atomics/; do
        [ -d "$entry" ] || continue
        entry=${entry#"$ROOT"}
        directory "${entry%/}"
    done
}

machine() {
    printf 'kernel\t%s\nmachine\t%s\npage_size\t%s\n' "$(uname -r)" "$(uname -m)" "$(getconf PAGESIZE 2>/dev/null || echo 4096)"
    awk '/^$/ { exit } /^(vendor_id|flags|Features)/' /proc/cpuinfo 2>/dev/null | text cpuinfo
    awk '/^(MemTotal|SwapTotal):/' /proc/meminfo 2>/dev/null | text meminfo
    printf 'overcommit\t%s\n' "$(cat /proc/sys/vm/overcommit_memory 2>/dev/null)"
    [ -z "$ROOT" ] || return 0
    printf 'live\n'
    # Mounts from which nothing can be executed, and those below them.
    awk '{ point[NR] = $5; no[NR] = index("," $6 ",", ",noexec,") }
        END { for (i = 1; i <= NR; i++) { keep = no[i]; for (j = 1; j <= NR; j++) if (no[j] && index(point[i], point[j] "/") == 1) keep = 1
              if (keep) print "0 0 0 /", point[i], no[i] ? "noexec" : "exec" } }' /proc/self/mountinfo 2>/dev/null | text mountinfo
    [ "$(cat /sys/fs/selinux/enforce 2>/dev/null)" = 1 ] && for name in selinuxuser_execstack selinuxuser_execmod; do
        case $(cat /sys/fs/selinux/booleans/$name 2>/dev/null) in 0*) printf 'selinux\t%s\n' $name ;; esac
    done
    for name in GLIBC_TUNABLES LD_ASSUME_KERNEL LD_AUDIT LD_BIND_NOT LD_BIND_NOW LD_DYNAMIC_WEAK LD_HWCAP_MASK LD_LIBRARY_PATH LD_PRELOAD; do
        eval "value=\${$name-}"
        # shellcheck disable=SC2154
        [ -z "$value" ] || printf '%s' "$value" | text "$name"
    done
}

main() {
    printf 'abicheck-collected\t1\nencoding\t%s\n' $encoding
    machine
    for path in /etc/ld.so.cache /etc/ld.so.preload /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1 \
        "$ROOT"/lib/ld-musl-*.so.1 "$ROOT"/etc/ld-musl-*.path; do
        visit "${path#"$ROOT"}"
    done
    for path in /lib /lib64 /usr/lib /usr/lib64 /usr/local/lib /usr/local/lib64 "$ROOT"/lib/*-linux-* "$ROOT"/usr/lib/*-linux-* \
        "$ROOT"/usr/local/lib/*-linux-*; do
        directory "${path#"$ROOT"}"
    done
    for path in $(tr -s '\000' '\n' 2>/dev/null <"$ROOT/etc/ld.so.cache" | awk '/^\/.*\.so/ { sub("/[^/]*$", ""); if (!had[$0]++) print }') \
        $(tr ':' '\n' 2>/dev/null <"$ROOT/etc/ld-musl-$(uname -m).path"); do
        directory "$path"
    done
    for path in "$ROOT"/usr/local/bin/python* "$ROOT"/usr/bin/python* "$ROOT"/bin/python*; do
        path=${path#"$ROOT"}
        case ${path##*/} in python | python[0-9] | python[0-9].[0-9] | python[0-9].[0-9][0-9] | python[0-9].[0-9][0-9]t) visit "$path" ;; esac
    done
    [ -n "$ROOT" ] && return 0
    python=$(command -v python3) && printf 'python\t%s\n' "$python" && visit "$python" && directory "${real%/*/*}/lib"
    IFS=:
    for path in ${LD_LIBRARY_PATH-}; do case $path in /*) directory "$path" ;; esac; done
    for path in ${LD_PRELOAD-}; do case $path in /*) visit "$path" ;; esac; done
}

main
printf 'end\n'
