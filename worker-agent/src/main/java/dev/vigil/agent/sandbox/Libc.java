package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// The few calls of the C library that the JDK has no API for. Linux and glibc 2.34 or newer.
final class Libc {
    static final int SIGKILL = 9;
    static final int SIGTERM = 15;
    static final int ESRCH = 3;
    private static final int EINTR = 4;
    private static final int P_PID = 1;
    private static final int WNOHANG = 1;
    private static final int WEXITED = 4;
    private static final int WNOWAIT = 0x0100_0000;
    private static final int PR_SET_CHILD_SUBREAPER = 36;
    /// Bytes of `siginfo_t`.
    private static final int SIGINFO = 128;

    private static final int O_CLOEXEC = 0x80000;
    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOCKADDR_UN = 110;
    private static final int PATH_MAX = 107;
    private static final int F_DUPFD_CLOEXEC = 1030;
    /// Descriptors of children are parked from here on, so that no target number of a spawn is ever a source too.
    private static final int PARKED_FROM = 64;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout POINTER = ValueLayout.ADDRESS;

    private static final MethodHandle SOCKET = bind("socket", INT, INT, INT);
    private static final MethodHandle CONNECT = bind("connect", INT, POINTER, INT);
    private static final MethodHandle CLOSE = bind("close", INT);
    private static final MethodHandle PIPE2 = bind("pipe2", POINTER, INT);
    private static final MethodHandle KILL = bind("kill", INT, INT);
    private static final MethodHandle WAITID = bind("waitid", INT, INT, POINTER, INT);
    private static final MethodHandle WAITPID = bind("waitpid", INT, POINTER, INT);
    private static final MethodHandle UNSHARE = bind("unshare", INT);
    private static final MethodHandle MOUNT = bind("mount", POINTER, POINTER, POINTER, LONG, POINTER);
    private static final MethodHandle UMOUNT = bind("umount2", POINTER, INT);
    private static final MethodHandle GETUID = bind("getuid");
    private static final MethodHandle POLL = bind("poll", POINTER, LONG, INT);
    private static final MethodHandle FCNTL = variadic("fcntl", 2, INT, INT, INT);
    private static final MethodHandle PRCTL = variadic("prctl", 1, INT, LONG);

    private static final long POLLFD = 8;
    private static final short POLLIN = 1;

    private Libc() {}

    /// A call that failed, with its name and number.
    static final class ErrnoException extends IOException {
        private static final long serialVersionUID = 1;
        private final int errno;

        ErrnoException(String call, int errno) {
            super(call + " failed with errno " + errno);
            this.errno = errno;
        }

        int errno() {
            return errno;
        }
    }

    /// The two ends of a pipe, both closed on exec.
    record Pipe(int readEnd, int writeEnd) {}

    static Pipe pipe() throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ends = arena.allocate(INT, 2);
            call("pipe2", PIPE2, arena, ends, O_CLOEXEC);
            return new Pipe(ends.getAtIndex(INT, 0), ends.getAtIndex(INT, 1));
        }
    }

    /// A socket that is connected to the one that listens at this path; closed on exec.
    static int connect(Path path) throws ErrnoException {
        byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
        if (name.length > PATH_MAX) {
            throw new IllegalArgumentException("socket path " + path + " is longer than " + PATH_MAX + " bytes");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(SOCKADDR_UN);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, 2, name.length);
            int fd = call("socket", SOCKET, arena, AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0);
            try {
                call("connect", CONNECT, arena, fd, address, SOCKADDR_UN);
            } catch (ErrnoException e) {
                close(fd);
                throw e;
            }
            return fd;
        }
    }

    /// Moves a descriptor to a number that no child uses as a target.
    static int park(int fd) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            int parked = call("fcntl", FCNTL, arena, fd, F_DUPFD_CLOEXEC, PARKED_FROM);
            close(fd);
            return parked;
        }
    }

    /// What there is to know of a pipe.
    enum Pollable {
        BYTES,
        /// No bytes, and nobody is left who could write some.
        ENDED,
        NOTHING_YET
    }

    /// Waits until a read of this pipe would not wait.
    static Pollable poll(int fd, int millis) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment asked = arena.allocate(POLLFD);
            asked.set(INT, 0, fd);
            asked.set(ValueLayout.JAVA_SHORT, 4, POLLIN);
            if (call("poll", POLL, arena, asked, 1L, millis) == 0) {
                return Pollable.NOTHING_YET;
            }
            return (asked.get(ValueLayout.JAVA_SHORT, 6) & POLLIN) != 0 ? Pollable.BYTES : Pollable.ENDED;
        } catch (ErrnoException e) {
            if (e.errno() == EINTR) {
                return Pollable.NOTHING_YET;
            }
            throw e;
        }
    }

    /// Closes a descriptor that only this code knows; an error has no remedy here.
    static void close(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            invoke(CLOSE, arena.allocate(STATE), fd);
        }
    }

    static void kill(int pid, int signal) throws ErrnoException {
        if (pid <= 1) {
            throw new IllegalArgumentException("pid " + pid + " is not one that a sandbox can have");
        }
        try (Arena arena = Arena.ofConfined()) {
            call("kill", KILL, arena, pid, signal);
        }
    }

    /// Waits until a child of this process ends, and leaves it a zombie, so that its number stays taken.
    static void awaitEnd(int pid) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(SIGINFO);
            while (true) {
                try {
                    call("waitid", WAITID, arena, P_PID, pid, info, WEXITED | WNOWAIT);
                    return;
                } catch (ErrnoException e) {
                    if (e.errno() != EINTR) {
                        throw e;
                    }
                }
            }
        }
    }

    /// Reaps a child that has ended.
    ///
    /// @return its exit code, or 128 + the number of the signal that killed it
    static int reap(int pid) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(INT);
            call("waitpid", WAITPID, arena, pid, status, 0);
            int value = status.get(INT, 0);
            int signal = value & 0x7f;
            return signal == 0 ? (value >> 8) & 0xff : 128 + signal;
        }
    }

    /// Reaps a process if it is a child of this one and has ended.
    ///
    /// @return true when it is gone: reaped now, or no child of ours (any more)
    static boolean reapIfEnded(int pid) {
        try (Arena arena = Arena.ofConfined()) {
            return call("waitpid", WAITPID, arena, pid, arena.allocate(INT), WNOHANG) == pid;
        } catch (ErrnoException e) {
            return true; // ECHILD
        }
    }

    /// Makes this process the parent of descendants whose own parent dies, in place of the machine's init.
    static void adoptOrphans() throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            call("prctl", PRCTL, arena, PR_SET_CHILD_SUBREAPER, 1L);
        }
    }

    /// Gives the calling thread, and what it spawns, namespaces of its own.
    static void unshare(int flags) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            call("unshare", UNSHARE, arena, flags);
        }
    }

    /// One mount, seen by the calling thread's mount namespace.
    ///
    /// @param source  a file system's name or a path
    /// @param type    a file system; empty for binds and changes of flags
    /// @param options file system options; may be empty
    record Mount(String source, Path target, String type, long flags, String options) {
        static final long READ_ONLY = 1;
        static final long NO_SUID = 2;
        static final long NO_DEV = 4;
        static final long NO_EXEC = 8;
        static final long REMOUNT = 32;
        static final long BIND = 4096;
        static final long RECURSIVE = 16384;
        static final long SLAVE = 1 << 19;

        void apply() throws ErrnoException {
            try (Arena arena = Arena.ofConfined()) {
                call(
                        "mount " + target,
                        MOUNT,
                        arena,
                        arena.allocateFrom(source),
                        arena.allocateFrom(target.toString()),
                        arena.allocateFrom(type),
                        flags,
                        arena.allocateFrom(options));
            }
        }
    }

    static void unmount(Path target) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            call("umount2 " + target, UMOUNT, arena, arena.allocateFrom(target.toString()), 2); // MNT_DETACH
        }
    }

    static int uid() {
        try (Arena arena = Arena.ofConfined()) {
            return invoke(GETUID, arena.allocate(STATE));
        }
    }

    /// A function of the C library that answers an int; its handle takes the errno state first.
    @SuppressWarnings("restricted") // the agent is started with native access enabled, see the manifest
    static MethodHandle bind(String name, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(INT, arguments),
                Linker.Option.captureCallState("errno"));
    }

    @SuppressWarnings("restricted")
    private static MethodHandle variadic(String name, int fixed, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(INT, arguments),
                Linker.Option.firstVariadicArg(fixed),
                Linker.Option.captureCallState("errno"));
    }

    /// Calls a function that answers -1 and sets errno when it fails.
    static int call(String name, MethodHandle function, Arena arena, Object... arguments) throws ErrnoException {
        MemorySegment state = arena.allocate(STATE);
        int result = invoke(function, state, arguments);
        if (result == -1) {
            throw new ErrnoException(name, (int) ERRNO.get(state, 0L));
        }
        return result;
    }

    static int invoke(MethodHandle function, MemorySegment state, Object... arguments) {
        var all = new Object[arguments.length + 1];
        all[0] = state;
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        try {
            return (int) function.invokeWithArguments(all);
        } catch (Throwable e) {
            throw new IllegalStateException("a call of the C library was made with wrong arguments", e);
        }
    }

    /// Where [#invoke] wants its errno.
    static MemorySegment state(Arena arena) {
        return arena.allocate(STATE);
    }
}
