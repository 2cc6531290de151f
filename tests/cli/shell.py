#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=120
"""cratons shell on a terminal: prompt, the project's commands, interrupt, stop and continue, the window's
size, no way to type into the caller's terminal, the exit status."""
import os, shutil, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from terminal import BUILD, Terminal, check, finish, skip

CRATONS = BUILD + "/bin/cratons"


def injects(cwd, *command):
    """Whether TIOCSTI, run by the command, reaches the terminal's own input."""
    t = Terminal("/bin/bash", "-c", 'stty -echo; "$@"; echo over; read -t 2 line && echo "got $line"; echo end',
                 "sh", *command, cwd=cwd)
    t.sees("\nend", 20)
    t.end()
    return "got injected" in t.text


def main(place):
    project = place + "/project"
    os.makedirs(project + "/sub")
    os.makedirs(place + "/home")
    os.environ.update(HOME=place + "/home", CRATONS_HOME=place + "/home/.cratons", CRATONS_FUSED_IDLE="5")
    with open(project + "/cratons.toml", "w") as f:
        f.write('[package]\nname = "app"\n')
    if os.system("cd '%s' && '%s' -q install" % (project, CRATONS)) != 0:
        check(False, "a project is installed")
        return
    t = Terminal(CRATONS, "shell", "-e", "PS1=in> ", cwd=project + "/sub", SECRET="canary")
    if not check_prompt(t):
        return
    t.type("pwd; echo secret=$SECRET.; tty\n")
    check(t.sees("secret=.") and project + "/sub" in t.text, "it stands where the caller does, without its variables", t.text)
    t.type("stty size\n")
    check(t.sees("30 100"), "it has the window's size", t.text)
    t.resize(11, 22)
    time.sleep(0.3)
    t.type("stty size\n")
    check(t.sees("11 22"), "and follows it", t.text)
    t.type("sleep 100\n")
    time.sleep(0.5)
    t.type("\x03")
    check(t.sees("> "), "^C ends a command", t.text)
    t.type("sleep 100\n")
    time.sleep(0.5)
    t.type("\x1a")
    check(t.sees("Stopped"), "^Z stops one", t.text)
    t.type("fg\n")
    t.sees("sleep 100")
    time.sleep(0.3)
    t.type("\x03")
    t.sees("> ")
    t.type("jobs; echo left=$(jobs | wc -l)\n")
    check(t.sees("left=0"), "fg continues it, to be ended", t.text)
    t.type("echo x >../node_modules/x; echo y >../written\n")
    check(t.sees("Read-only file system"), "node_modules cannot be written", t.text)
    t.type("exit 9\n")
    t.sees("exit")
    check(t.status() == 9, "its exit status comes back")
    check(os.path.exists(project + "/written"), "the project can")
    probe = [BUILD + "/test/probe", "tiocsti", "injected\n"]
    shutil.copy(probe[0], project + "/probe")
    if injects(project, *probe):
        check(not injects(project, CRATONS, "run", "--", "./probe", *probe[1:]), "it cannot type into the caller's terminal")
    else:
        skip("it cannot type into the caller's terminal", "it does not work bare here (dev.tty.legacy_tiocsti)")


def check_prompt(t):
    good = t.sees("> ")
    check(good and "only the project can be written" in t.text, "a shell prompts, and says what it is", t.text)
    return good


if not os.path.exists("/dev/fuse"):
    print("1..0 # SKIP there is no /dev/fuse")
    sys.exit()
here = tempfile.mkdtemp(prefix="cratons-shell-")
try:
    main(here)
finally:
    shutil.rmtree(here, ignore_errors=True)
finish()
