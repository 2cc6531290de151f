# SPDX-License-Identifier: GPL-2.0-or-later
# Files: of the host, of other people, of the system; ways around what is read-only or absent.

read_secret() { $1 "$P" read "$D/hidden/secret"; leaked; }
read_key() { $1 "$P" read "$D/home/.ssh/id_rsa"; leaked; }
read_hostname() { $1 "$P" read /etc/hostname; [ "$out" = "$(cat /etc/hostname)" ]; }
list_home() { $1 "$P" list "$D/home"; [[ $out == *.ssh* ]]; }
list_etc() { $1 "$P" list /etc; [[ $out == *shadow* ]]; }
list_root() { $1 "$P" list /; [[ $out == *boot* ]]; }
list_sys() { $1 "$P" list /sys; [[ $out == *kernel* ]]; }
stat_home() { $1 "$P" stat "$D/home/.bashrc"; [[ $out == *size* ]]; }
dot_dot() { $1 "$P" read "$D/granted/../hidden/secret"; leaked; }
write_rc() { $1 "$P" write "$D/home/.bashrc" "$token"; grep -q "$token" "$D/home/.bashrc"; }
write_config() { $1 "$P" write "$D/home/.config/autostart" "$token"; [ -e "$D/home/.config/autostart" ]; }
store() { # the store of another user of Cratons, or of ours
	local s=$D/home/.cratons/store
	mkdir -p "$s" && chown "$uid:$uid" "$s"
	$1 "$P" write "$s/pack" "$token"
	[ -e "$s/pack" ]
}
system_file() { # DIRECTORY: a file in it on the host
	local won=1
	$1 "$P" write "$2/$token" x
	[ -e "$2/$token" ] && won=0
	rm -f "$2/$token"
	return $won
}
etc() { system_file "$1" /etc; }
cron() { mkdir -p /etc/cron.d; system_file "$1" /etc/cron.d; }
usr() { system_file "$1" /usr/share; }
python_path() { # a .pth file is code for every Python of this machine
	system_file "$1" "$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
}
users() { # opened only
	# The host's, not one of its own
	has_hosts() { [ "$(stat -Lc %d:%i "/proc/$1/fd/3" 2>/dev/null)" = "$(stat -c %d:%i /etc/passwd)" ]; }
	held "$1" has_hosts hold-open /etc/passwd "$token"
}
write_fixed() { $1 "$P" write "$F/file" x; changed; }
truncate_fixed() { $1 "$P" truncate "$F/file"; changed; }
open_truncated() { $1 "$P" open-truncated "$F/file"; changed; }
map_fixed() { $1 "$P" map-write "$F/file"; changed; }
allocate_fixed() { $1 "$P" allocate "$F/file"; [ "$(stat -c %s "$F/file")" -ge 65536 ]; }
unlink_fixed() { $1 "$P" unlink "$F/file"; changed; }
add_fixed() { $1 "$P" write "$F/sub/new" x; [ -e "$F/sub/new" ]; }
nameless_fixed() { $1 "$P" nameless "$F/sub" new; [ -e "$F/sub/new" ]; }
chmod_fixed() { $1 "$P" chmod "$F/file" 777; [ "$(stat -c %a "$F/file")" = 777 ]; }
chown_fixed() { $1 "$P" chown "$F/file"; [ "$(stat -c %u "$F/file")" = 1 ]; }
date_fixed() { $1 "$P" date "$F/file"; [ "$(stat -c %Y "$F/file")" = 0 ]; }
xattr_fixed() { $1 "$P" xattr "$F/file" "$token"; python3 -c 'import os,sys; os.getxattr(sys.argv[1], "user.probe")' "$F/file" 2>/dev/null; }
hard_link() { $1 "$P" hard-link "$F/file" "$D/granted/link" "$token"; changed; }
hard_link_out() { $1 "$P" hard-link "$D/hidden/secret" "$D/granted/link" "$token"; grep -q "$token" "$D/hidden/secret"; }
link_out() { $1 "$P" symbolic-link "$D/hidden/secret" "$D/granted/link"; leaked; }
link_planted() { # by whoever wrote there before
	ln -s ../hidden "$D/granted/planted"
	$1 "$P" read "$D/granted/planted/secret"
	leaked
}
proc_root() { $1 "$P" proc-root "$D/hidden/secret"; leaked; }
descriptor() { $1 "$P" inherited 9 9<"$D/hidden/secret"; leaked; }
descriptor_directory() { $1 "$P" read /proc/self/fd/9/secret 9<"$D/hidden"; leaked; }
reopen() { $1 "$P" reopen "$F/file" "$token"; changed; }
map_files() { $1 "$P" map-files "$F/file" "$token"; changed; }
own_memory() { $1 "$P" own-memory "$D/granted/seen" "$token"; grep -q "$token" "$D/granted/seen" 2>/dev/null; }
rename_race() { $1 "$P" rename-race "$D/granted" "$D/hidden"; leaked; }
link_race() { $1 "$P" link-race "$D/granted" "$D/hidden"; leaked; }
device() { $1 "$P" device "$D/granted/node"; [ -c "$D/granted/node" ]; }
devices() { $1 "$P" devices /dev/kmsg /dev/mem /dev/port /dev/kvm /dev/fuse /dev/net/tun \
	/dev/loop-control /dev/vda /dev/sda /dev/vhost-net /dev/userfaultfd /dev/btrfs-control /dev/uinput; [[ $out == *opened* ]]; }
null_mode() { # the device's mode as others see it; bare, of a device of its own
	local won=1 null=/dev/null was
	if [[ $1 == bare* ]]; then mknod -m 666 "$D/null" c 1 3; null=$D/null; fi
	was=$(stat -c %a "$null")
	$1 "$P" chmod "$null" 640
	[ "$(stat -c %a "$null")" = 640 ] && won=0
	chmod "$was" "$null"
	return $won
}
set_id() { cp "$T/bin/probe" "$D/granted/s"; chown "$uid" "$D/granted/s"; $1 "$P" chmod "$D/granted/s" 4755; [ -u "$D/granted/s" ]; }
set_group() { cp "$T/bin/probe" "$D/granted/s"; chown "$uid:$uid" "$D/granted/s"; $1 "$P" chmod "$D/granted/s" 2755; [ -g "$D/granted/s" ]; }
born_set_id() { $1 "$P" born-set-id "$D/granted/s"; [ -u "$D/granted/s" ] && [ -s "$D/granted/s" ]; }
file_capability() {
	cp "$T/bin/probe" "$D/granted/s"
	$1 "$P" file-capability "$D/granted/s"
	python3 -c 'import os,sys; os.getxattr(sys.argv[1], "security.capability")' "$D/granted/s" 2>/dev/null
}
program_outside() { cp /bin/echo "$D/hidden/program"; $1 sh -c '"$0" "$1"; exit 1' "$D/hidden/program" "$token"; [[ $out == *"$token"* ]]; }
sockets_of_host() { $1 sh -c 'ls /run /var/run /var/lib 2>/dev/null'; [ -n "$out" ]; }

files() {
	attack "read a file that is not bound" read_secret
	twin "read a file that is not bound" read_secret --ro-bind @D@/hidden
	attack "read a private key in home" read_key
	attack "read the host's name from /etc" read_hostname
	attack "list home" list_home
	attack "list the host's /etc" list_etc
	attack "list the host's root" list_root
	attack "list /sys" list_sys
	attack "list what the host runs, in /run and /var/lib" sockets_of_host
	attack "stat a file in home" stat_home
	attack "execute a program that is not bound" program_outside
	attack "dot-dot out of what is granted" dot_dot
	attack "add to .bashrc" write_rc
	twin "add to .bashrc" write_rc --bind @D@/home
	attack "a file that the desktop starts" write_config
	attack "write into a store" store
	attack "write to /etc" etc bare_root
	attack "add a cron job" cron bare_root
	attack "write to /usr" usr bare_root
	attack "add to Python's search path" python_path bare_root
	attack "open the list of users to write" users bare_root
	attack "write a read-only file" write_fixed
	only="default script container" twin "write a read-only file" write_fixed --bind @D@/fixed
	attack "truncate a read-only file" truncate_fixed
	attack "truncate a read-only file by opening it" open_truncated
	attack "write a read-only file by a mapping" map_fixed
	attack "allocate blocks for a read-only file" allocate_fixed
	attack "remove a read-only file" unlink_fixed
	attack "add to a read-only directory" add_fixed
	may_fail="this file system has no nameless files" attack "name a nameless file in a read-only directory" nameless_fixed
	attack "change the mode of a read-only file" chmod_fixed
	attack "give a read-only file away" chown_fixed bare_root
	attack "change the times of a read-only file" date_fixed
	may_fail="this file system has no attributes for users" attack "set an attribute of a read-only file" xattr_fixed
	attack "write by a hard link to a read-only file" hard_link
	attack "hard link to what is not bound" hard_link_out
	attack "symbolic link out" link_out
	attack "a symbolic link that was there before" link_planted
	attack "through /proc/1/root and the like" proc_root
	attack "an inherited descriptor" descriptor
	attack "an inherited directory" descriptor_directory
	attack "open again through /proc/self/fd" reopen
	attack "open again through /proc/self/map_files" map_files bare_root
	attack "write read-only memory through /proc/self/mem" own_memory
	attack "swap a directory for a link while it is opened" rename_race
	attack "swap a file for a link while it is opened" link_race
	attack "make a device node" device bare_root
	attack "open a device that reaches the kernel or the disk" devices bare_root
	attack "change the mode of /dev/null" null_mode bare_root
	attack "leave a set-user-ID program" set_id
	attack "leave a set-group-ID program" set_group
	attack "leave a program born with the set-user-ID bit" born_set_id bare_root
	attack "leave a program with capabilities" file_capability bare_root
}
