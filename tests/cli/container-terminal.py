#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=120
"""cratons container run, exec and logs on a terminal: each has one of its own, of the window's size, with
job control; what was written when nobody looked cannot drive the one that shows it."""
import os, shutil, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from terminal import BUILD, Terminal, check, finish

CRATONS = BUILD + "/bin/cratons"


def cratons(*arguments):
    return subprocess.run([CRATONS, *arguments], capture_output=True, text=True)


def session(name, *command):
    t = Terminal(CRATONS, "container", *command)
    check(t.sees("$ "), name + ": a shell prompts", t.text)
    t.type("tty; stty size; ps -o pid= -o tpgid= $$\n")
    check(t.sees("/dev/pts/") and t.sees("30 100"), name + ": a terminal of its own, of the same size", t.text)
    t.resize(11, 22)
    time.sleep(0.2)
    t.type("stty size\n")
    check(t.sees("11 22"), name + ": which follows the window", t.text)
    t.type("sleep 100\n")
    time.sleep(0.3)
    t.type("\x1a")
    check(t.sees("Stopped"), name + ": ^Z stops a job", t.text)
    t.type("fg\n")
    t.sees("sleep 100")
    time.sleep(0.2)
    t.type("\x03")
    check(t.sees("$ "), name + ": ^C ends it", t.text)
    t.type("exit 9\n")
    t.sees("exit")
    status = os.waitstatus_to_exitcode(os.waitpid(t.pid, 0)[1])
    check(status == 9, name + ": the shell's status comes back", status)
    os.close(t.fd)


def main():
    session("run", "run", "--rm", "-e", "PS1=$ ", "--", "bash", "--norc", "-i")
    cratons("container", "run", "-d", "--name", "web", "--", "sleep", "1000")
    session("exec", "exec", "-e", "PS1=$ ", "web", "bash", "--norc", "-i")
    t = Terminal(CRATONS, "container", "exec", "web", "sh", "-c", "sleep 500; echo no")
    time.sleep(0.5)
    os.close(t.fd)  # the window is closed
    os.waitpid(t.pid, 0)
    time.sleep(0.2)
    left = cratons("container", "exec", "web", "ps", "ax", "-o", "args").stdout
    check("sleep 500" not in left, "exec: what ran ends with the window", left)
    check("sleep 1000" in left, "and the container goes on", left)
    cratons("container", "rm", "--force", "web")

    hostile = r"\033[32mgreen\033[0m \033]0;title\007 \033[2J \302\233m \2331m \033\302\2332J \342\302\233\233 \302\251 a\rb\n"
    cratons("container", "run", "-d", "--name", "esc", "--", "printf", hostile)
    cratons("container", "wait", "esc")
    t = Terminal(CRATONS, "logs", "esc")
    t.sees("b\r\n")
    check("\x1b[32mgreen\x1b[0m" in t.text, "logs: colours pass", t.text)
    check("\x1b]" not in t.text and "\x1b[2J" not in t.text and "\x9b" not in t.text and "\x07" not in t.text and
          "\ufffd1m" not in t.text and "\ufffd2J" not in t.text,
          "logs: other control codes do not", t.text)
    check("©" in t.text and "ab" in t.text, "logs: letters do", t.text)
    os.waitpid(t.pid, 0)
    raw = subprocess.run([CRATONS, "logs", "esc"], capture_output=True).stdout
    check(b"\x1b]0;title\x07" in raw, "logs: to a file as it was", raw)


home = tempfile.mkdtemp(prefix="cratons-terminal-")
os.environ.update(CRATONS_HOME=home, TERM="dumb")
try:
    main()
finally:
    cratons("container", "rm", "--force", "web")
    shutil.rmtree(home, ignore_errors=True)
finish()
