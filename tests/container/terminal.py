#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=120
"""The container's terminal: job control, window size, raw mode and back, pipelines, and no way to type
into the caller's."""
import os, sys, termios, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from terminal import BUILD, Terminal, check, finish, skip

TOOL = BUILD + "/test/sandbox-tool"
PROBE = BUILD + "/test/probe"


def shell_inside():
    t = Terminal(TOOL, "--env", "PS1=$ ", "--", "bash", "--norc", "-i")
    check(t.sees("$ "), "a shell prompts", t.text)
    t.type("tty; stty size\n")
    check(t.sees("/dev/pts/0") and t.sees("30 100"), "it has a terminal of its own, of the same size", t.text)
    t.resize(11, 22)
    time.sleep(0.2)
    t.type("stty size\n")
    check(t.sees("11 22"), "which follows the window", t.text)
    t.type("sleep 100\n")
    time.sleep(0.3)
    t.type("\x1a")
    check(t.sees("Stopped"), "^Z stops a job of the shell's", t.text)
    t.type("fg\n")
    t.sees("sleep 100")
    time.sleep(0.2)
    t.type("\x03")
    check(t.sees("$ "), "fg and ^C reach it", t.text)
    t.type("cat </dev/tty\n")
    time.sleep(0.3)
    t.type("through\n")
    check(t.sees("through\r\nthrough"), "/dev/tty is that terminal", t.text)
    t.type("\x04")
    t.sees("$ ")
    t.type("printf 'a\\001b' | od -c; exit 9\n")
    t.sees("exit")
    status = os.waitstatus_to_exitcode(os.waitpid(t.pid, 0)[1])
    check(status == 9, "the shell's exit status comes back", status)
    check(bool(t.modes() & termios.ICANON and t.modes() & termios.ECHO), "the caller's terminal is as it was")
    os.close(t.fd)


def under_a_shell():
    t = Terminal("bash", "--norc", "-i", PS1="$ ")
    t.sees("$ ")
    t.type(TOOL + " -- sh -c 'echo st''arted; sleep 4'\n")
    t.sees("started")
    time.sleep(0.3)  # sh forks with vfork: a child stopped before exec would hold it
    check(not t.modes() & termios.ICANON, "raw while it runs")
    t.type("\x1a")
    check(t.sees("Stopped"), "^Z stops the container", t.text)
    t.type("stty -a | tr ' ' '\\n' | grep icanon\n")
    check(t.sees("\nicanon"), "and gives the terminal back", t.text)
    t.type("fg; echo status=$?\n")
    check(t.sees("status=0"), "fg continues it to its end", t.text)
    t.sees("status=0\r\n$ ")  # what is typed before the prompt is echoed twice
    t.type(TOOL + " -- sleep 100\n")
    t.sees("100\r\n")
    time.sleep(0.05)
    t.type("\x03")
    t.sees("$ ")
    t.type("echo status=$?\n")
    check(t.sees("status=130"), "^C ends it", t.text)
    t.sees("status=130\r\n$ ")
    t.type(TOOL + " -- cat | tr a-z A-Z; echo end\n")
    time.sleep(0.5)
    t.type("hello\n")
    check(t.sees("HELLO"), "in a pipeline it may read the terminal", t.text)
    t.type("\x04")
    check(t.sees("end"), "until its end", t.text)
    t.type("%s -- sh -c 'sleep 1; echo said' & wait; echo waited\n" % TOOL)
    check(t.sees("said\r\n") and t.sees("\nwaited"), "in the background it may write", t.text)
    t.type("%s -- cat & sleep 1; jobs\n" % TOOL)
    check(t.sees("Stopped"), "and is stopped when it reads", t.text)
    t.type("fg\n")
    time.sleep(0.5)
    t.type("now\n\x04")
    check(t.sees("now\r\nnow"), "until it is in the foreground", t.text)
    t.type("echo again\n")
    t.sees("\nagain")
    t.type("%s -- sh -c 'tty; test -t 1 || echo file' >/tmp/cratons-terminal.$$; cat /tmp/cratons-terminal.$$; rm /tmp/cratons-terminal.$$\n" % TOOL)
    check(t.sees("/dev/pts/0\r\nfile"), "only what is a terminal is replaced", t.text)
    t.type("exit\n")
    t.end()


def halting():
    """A command that stops itself does not stop what is outside, nor its container's time."""
    t = Terminal("bash", "--norc", "-i", PS1="$ ")
    t.sees("$ ")
    for sig in "STOP", "TSTP":
        t.type(TOOL + " -- sh -c 'kill -%s $$; echo went o''n after %s' </dev/null 2>&1 | cat\n" % (sig, sig))
        check(t.sees("went on after " + sig), "SIG%s of its own without a terminal stops nobody" % sig, t.text)
    t.type(TOOL + " --seconds 2 -- sh -c 'sleep 100 & kill -STOP $$'\n")
    check(t.sees("Stopped"), "with one it is stopped for the shell", t.text)
    check(t.sees("ended by time"), "and ended when its time is over", t.text)
    t.type("exit\n")
    t.end()


def injected(*prefix, odd=False):
    t = Terminal("bash", "--norc", "-i", PS1="$ ")
    t.sees("$ ")
    t.type(" ".join(prefix) + " %s %s 'echo in''jected\n' 2>/tmp/cratons-tiocsti; echo over\n" % (
        PROBE, "tiocsti-odd" if odd else "tiocsti"))
    t.sees("\r\nover")
    won = t.sees("\r\ninjected", 1)
    t.type("exit\n")
    t.end()
    os.unlink("/tmp/cratons-tiocsti")
    return won


def no_typing():
    for odd in False, True:
        name = "TIOCSTI%s into the caller's terminal" % (", with high bits set," if odd else "")
        if not injected(odd=odd):
            skip(name, "it does not work bare here (dev.tty.legacy_tiocsti)")
            continue
        check(not injected(TOOL, "--ro-bind", BUILD + "/test", "--", odd=odd), name)


def hang_up():
    t = Terminal(TOOL, "--", "sh", "-c", "trap 'exit 3' HUP; echo ready; while :; do sleep 0.1; done")
    t.sees("ready")
    status = t.end()
    check(status != "killed", "a terminal that goes away ends the container", status)
    t = Terminal("bash", "--norc", "-i", PS1="$ ")
    t.sees("$ ")
    t.type("exec %s -- sh -c 'kill -STOP $$'\n" % TOOL)
    time.sleep(0.5)
    status = t.end()
    check(status != "killed", "also one that is stopped", status)


shell_inside()
under_a_shell()
halting()
no_typing()
hang_up()
finish()
