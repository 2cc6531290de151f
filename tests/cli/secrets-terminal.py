#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=120
"""--secret on a terminal: what is printed there has it not, prompts and typed letters do not wait for it, and
the package side's verbs have it too."""
import os, shutil, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from terminal import BUILD, Terminal, check, finish, skip

CRATONS = BUILD + "/bin/cratons"
SECRET = "$tok-4f9a/c+2d&e"  # its first letter is a prompt's last


def session(name, *command, cwd=None):
    t = Terminal(CRATONS, *command, cwd=cwd, TOKEN=SECRET)
    start = time.time()
    check(t.sees("$"), name + ": a prompt that ends as the secret begins is seen", t.text)
    t.type("echo \"[$TOKEN]\" \"${#TOKEN}\"\n")
    check(t.sees("[***] 16"), name + ": what is printed has it not", t.text)
    t.type("$to")
    check(t.sees("$to", 5), name + ": letters that begin it are echoed", t.text)
    t.type("\x15echo 'ty''ped'\n")
    check(t.sees("typed"), name + ": and taken back", t.text)
    t.type("printf '%s' \"$TOKEN\" | base64; printf 'two\\n%s\\n' \"$TOKEN\" >&2\n")
    check(t.sees("two\r\n***"), name + ": nor has the other stream", t.text)
    check("JHRvay" not in t.text, name + ": nor in base64", t.text)
    t.type("for c in '$' t o k - 4 f 9 a / c + 2 d '&' e; do printf %s \"$c\"; sleep 0.12; done; echo 'en''d'\n")
    t.sees("end")
    check("$tok-4" not in t.text and "$to***" in t.text.replace("'$' t o", ""),
          name + ": nor letter by letter, but for its beginning", t.text)
    t.type("exit 9\n")
    status = t.status()
    check(status == 9, name + ": the shell's status comes back", status)


def main():
    session("run", "container", "run", "--rm", "--secret", "TOKEN", "-e", "PS1=$", "--", "bash", "--norc",
            "--noediting", "-i")
    subprocess.run([CRATONS, "container", "run", "-d", "--name", "it", "--", "sleep", "1000"], capture_output=True)
    session("exec", "container", "exec", "--secret", "TOKEN", "-e", "PS1=$", "it", "bash", "--norc", "--noediting",
            "-i")
    subprocess.run([CRATONS, "container", "rm", "--force", "it"], capture_output=True)

    project = os.path.join(home, "project")
    os.mkdir(project)
    for verb in "init", "lock", "install":
        done = subprocess.run([CRATONS, verb], cwd=project, capture_output=True, text=True)
    if done.returncode:
        skip("cratons run, exec, shell", done.stderr.strip().split("\n")[0])
        return
    with open(project + "/cratons.toml", "w") as f:
        f.write("[package]\nname = 'it'\n[scripts]\nprebuild = 'echo \"pre [$TOKEN]\"'\nbuild = 'echo \"[$TOKEN] ${#TOKEN}\"'\n")
    env = dict(os.environ, TOKEN=SECRET)
    out = subprocess.run([CRATONS, "run", "--secret", "TOKEN", "build"], cwd=project, env=env, capture_output=True,
                         text=True)
    check(out.stdout == "pre [***]\n[***] 16\n", "cratons run: each script of it has the secret, no output does", out)
    out = subprocess.run([CRATONS, "exec", "--secret", "TOKEN", "sh", "-c", "echo [$TOKEN]"], cwd=project, env=env,
                         capture_output=True, text=True)
    check(out.returncode != 0 or out.stdout == "[***]\n", "cratons exec likewise, where it has the command", out)
    session("shell", "shell", "--secret", "TOKEN", "-e", "PS1=$", cwd=project)


home = tempfile.mkdtemp()
os.environ["CRATONS_HOME"] = home + "/.cratons"
os.environ["HOME"] = home
try:
    main()
finally:
    shutil.rmtree(home, ignore_errors=True)
finish()
