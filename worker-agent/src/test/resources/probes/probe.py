"""Attacks on a sandbox, one verb each. The same file runs inside, as a handler, and outside, as the control.

Inside: the run line on stdin, the answer on VIGIL_FD. Outside: `probe.py VERB JSON`, the answer on stdout.
The answer is always an object; what a verb reached stands in it, so an empty list or a zero is a wall that held.
"""

import ctypes
import errno
import json
import mmap
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
ARM = platform.machine() == "aarch64"
CLONE_NEW = {"mnt": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000,
             "pid": 0x20000000, "net": 0x40000000}


def syscall(number, *arguments):
    """The errno of a system call, 0 when it worked."""
    ctypes.set_errno(0)
    result = LIBC.syscall(ctypes.c_long(number), *[ctypes.c_long(argument) for argument in arguments])
    return ctypes.get_errno() if result == -1 else 0


def name(number):
    return errno.errorcode.get(number, str(number)) if number else "ok"


def write(paths):
    made = []
    for path in paths:
        try:
            with open(path, "w") as file:
                file.write("x")
            made.append(path)
        except OSError:
            pass
    return {"written": made}


def read(paths):
    readable = []
    for path in paths:
        try:
            os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1)
            readable.append(path)
        except OSError:
            pass
    return {"readable": readable}


def connect(addresses):
    reached = []
    for address in addresses:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                sock.settimeout(1)
                sock.connect(tuple(address) if isinstance(address, list) else address.replace("@", "\0"))
            reached.append(address)
        except OSError:
            pass
    return {"reached": reached}


def listen_abstract(name):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0" + name)
        server.listen()
        print("listening", flush=True)
        time.sleep(60)


def own_loopback():
    """What a handler may do: talk to itself."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        return connect([["127.0.0.1", server.getsockname()[1]]])


def environment(marker):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if marker.encode() in file.read():
                    found.append(pid)
        except OSError:
            pass
    return {"found": found, "names": sorted(os.environ)}


def descriptors():
    kinds = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            kinds[number] = os.readlink(f"/proc/self/fd/{number}").split(":")[0]
        except OSError:
            pass
    return {"open": {number: kind for number, kind in kinds.items() if not kind.startswith("/proc/")}}


def processes():
    return {"pids": sorted(int(pid) for pid in os.listdir("/proc") if pid.isdigit())}


def fork(count):
    children = []
    try:
        for _ in range(count):
            pid = os.fork()
            if pid == 0:
                time.sleep(60)
                os._exit(0)
            children.append(pid)
    except OSError:
        pass
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return {"children": len(children)}


def memory(megabytes, processes=1):
    def take():
        pieces = []
        for _ in range(megabytes):
            piece = mmap.mmap(-1, 1 << 20)
            piece.write(b"x" * (1 << 20))
            pieces.append(piece)
        return pieces

    children = []
    for _ in range(processes - 1):
        pid = os.fork()
        if pid == 0:
            kept = take()
            time.sleep(3 if kept else 0)
            os._exit(0)
        children.append(pid)
    kept = take()
    deaths = sum(1 for pid in children if os.waitpid(pid, 0)[1] != 0)
    return {"megabytes": len(kept), "deaths": deaths}


def memfd(megabytes):
    fd = os.memfd_create("x")
    for _ in range(megabytes):
        os.write(fd, b"x" * (1 << 20))
    return {"megabytes": megabytes}


def fill(folder, megabytes):
    written = 0
    path = os.path.join(folder, "fill")
    try:
        with open(path, "wb", buffering=0) as file:
            for _ in range(megabytes):
                written += file.write(b"x" * (1 << 20))
    except OSError:
        pass
    os.unlink(path)
    return {"megabytes": written >> 20}


def open_files(count):
    files = []
    try:
        for _ in range(count):
            files.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    for fd in files:
        os.close(fd)
    return {"opened": len(files)}


def raise_limits():
    raised = []
    for limit in ("RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CORE"):
        soft, hard = resource.getrlimit(getattr(resource, limit))
        try:
            resource.setrlimit(getattr(resource, limit), (hard + 1, hard + 1))
            raised.append(limit)
        except (OSError, ValueError):
            pass
    return {"raised": raised}


def setuid():
    became = []
    for call in (os.setuid, os.setgid, os.seteuid):
        try:
            call(0)
            became.append(call.__name__)
        except OSError:
            pass
    nosuid = bool(os.statvfs("/usr").f_flag & os.ST_NOSUID)
    status = dict(line.split(":\t") for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
    caps = [key for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if int(status[key], 16)]
    return {"became": became, "setuid_files_work": not nosuid, "no_new_privs": status["NoNewPrivs"], "caps": caps,
            "ids": status["Uid"].split()}


def namespaces():
    made = []
    for kind, flag in CLONE_NEW.items():
        pid = os.fork()
        if pid == 0:
            os._exit(0 if syscall(97 if ARM else 272, flag) == 0 else 1)
        if os.waitpid(pid, 0)[1] == 0:
            made.append("unshare " + kind)
        clone = LIBC.syscall(ctypes.c_long(220 if ARM else 56), ctypes.c_long(flag | signal.SIGCHLD), 0, 0, 0, 0)
        if clone == 0:
            os._exit(0)
        if clone > 0:
            os.waitpid(clone, 0)
            made.append("clone " + kind)
        try:
            fd = os.open(f"/proc/1/ns/{kind}", os.O_RDONLY)
            if syscall(268 if ARM else 308, fd, flag) == 0:
                made.append("setns " + kind)
        except OSError:
            pass
    return {"made": made, "clone3": name(syscall(435, 0, 0))}


def mounts(target):
    done = []
    if LIBC.mount(b"none", target.encode(), b"tmpfs", 0, None) == 0:
        done.append("mount")
        LIBC.umount2(target.encode(), 0)
    if LIBC.mount(b"/usr", target.encode(), None, 4096, None) == 0:
        done.append("bind")
        LIBC.umount2(target.encode(), 0)
    if os.environ.get("VIGIL_FD"):
        if LIBC.umount2(b"/proc", 2) == 0:
            done.append("umount")
        if LIBC.mount(None, b"/usr", None, 32 | 4096, None) == 0:
            done.append("remount")
        try:
            os.chroot("/tmp")
            done.append("chroot")
        except OSError:
            pass
    return {"done": done}


def ptrace():
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    number = 117 if ARM else 101
    done = []
    if syscall(number, 16, child, 0, 0) == 0:
        done.append("attach child")
    if os.environ.get("VIGIL_FD") and syscall(number, 16, 1, 0, 0) == 0:
        done.append("attach pid 1")
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_long * 2)(ctypes.addressof(buffer), 8)
    where = ctypes.addressof(vector)
    if syscall(270 if ARM else 310, child, where, 1, where, 1, 0) == 0:
        done.append("read memory")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return {"done": done}


def sockets():
    made = []
    for label, family, kind, protocol in (
        ("vsock", 40, socket.SOCK_STREAM, 0), ("netlink", 16, socket.SOCK_RAW, 0), ("packet", 17, socket.SOCK_RAW, 0),
        ("alg", 38, 5, 0), ("raw", 2, socket.SOCK_RAW, 1), ("ping", 2, socket.SOCK_DGRAM, 1),
        ("mptcp", 2, socket.SOCK_STREAM, 262)):
        try:
            socket.socket(family, kind, protocol).close()
            made.append(label)
        except OSError:
            pass
    return {"made": made}


def io_uring():
    parameters = ctypes.create_string_buffer(256)
    return {"errno": name(syscall(425, 4, ctypes.addressof(parameters)))}


def calls(numbers):
    """The errno of system calls with arguments that no call accepts."""
    return {"errno": {str(number): name(syscall(number, -1, 1, 1, -1, -1)) for number in numbers}}


def typing():
    ours, theirs = os.openpty()
    letter = ctypes.create_string_buffer(b"x")
    return {"errno": name(syscall(29 if ARM else 16, theirs, 0x5412, ctypes.addressof(letter)))}


def personality():
    return {"errno": name(syscall(92 if ARM else 135, 0x0040000))}


def kill_all():
    try:
        os.kill(-1, signal.SIGKILL)
    except OSError:
        pass
    return {"alive": True}


def daemon(token, hold):
    """Leaves a process behind that is nobody's child, has its own session and ignores what it can."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            os.execv("/bin/sh", ["sh", "-c", f": {token}; trap '' TERM HUP INT; while :; do sleep 1; done"])
        os._exit(0)
    time.sleep(hold)
    return {"left": token}


def main():
    outside = "VIGIL_FD" not in os.environ
    order = {"verb": sys.argv[1], **json.loads(sys.argv[2])} if outside else json.loads(sys.stdin.readline())["input"]
    answer = globals()[order.pop("verb")](**order)
    if outside:
        print(json.dumps(answer))
        return
    line = memoryview((json.dumps({"done": answer}) + "\n").encode())
    while line:
        line = line[os.write(int(os.environ["VIGIL_FD"]), line):]


if __name__ == "__main__":
    main()
