# SPDX-License-Identifier: GPL-2.0-or-later
"""For tests that need a terminal: TAP, and a command on a pseudo-terminal of its own."""
import fcntl, os, pty, select, signal, struct, sys, termios, time

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
BUILD = os.environ.get("BUILD") or TOP + "/build"
count = failed = 0


def check(good, name, detail=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name), flush=True)
    if not good:
        print("# " + repr(detail)[-2000:])


def skip(name, why):
    global count
    count += 1
    print("ok %d - %s # SKIP %s" % (count, name, why), flush=True)


def finish():
    print("1..%d" % count)
    sys.exit(failed > 0)


class Terminal:
    def __init__(self, *command, cwd=None, **env):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(env, TERM="dumb")
            if cwd:
                os.chdir(cwd)
            os.execvp(command[0], command)
        self.resize(30, 100)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        self.text = ""
        os.write(self.fd, text.encode())

    def sees(self, part, seconds=15):
        end = time.time() + seconds
        while part not in self.text and time.time() < end:
            if not select.select([self.fd], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                break
            if not data:
                break
            self.text += data.decode("utf-8", "replace")
        return part in self.text

    def modes(self):
        return termios.tcgetattr(self.fd)[3]

    def status(self):
        """Its exit status, or "killed" when it did not end."""
        for _ in range(200):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return "killed"

    def end(self):
        os.close(self.fd)
        return self.status()
