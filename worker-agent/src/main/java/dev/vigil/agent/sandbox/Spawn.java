package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Starts a process with exactly the descriptors it is given, an empty environment, a session of its own and
/// default signals: `posix_spawn`, because the JDK's ProcessBuilder hands on no descriptor above 2.
final class Spawn {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout POINTER = ValueLayout.ADDRESS;
    private static final short SET_SIGNAL_DEFAULT = 0x04;
    private static final short SET_SIGNAL_MASK = 0x08;
    private static final short SET_SESSION = 0x80;
    /// More than any glibc uses for its opaque structures (80, 336 and 128 bytes on x86_64).
    private static final int OPAQUE = 1024;

    private static final MethodHandle ACTIONS_INIT = Libc.bind("posix_spawn_file_actions_init", POINTER);
    private static final MethodHandle ACTIONS_DESTROY = Libc.bind("posix_spawn_file_actions_destroy", POINTER);
    private static final MethodHandle ADD_DUP2 = Libc.bind("posix_spawn_file_actions_adddup2", POINTER, INT, INT);
    private static final MethodHandle ADD_OPEN =
            Libc.bind("posix_spawn_file_actions_addopen", POINTER, INT, POINTER, INT, INT);
    private static final MethodHandle ADD_CHDIR = Libc.bind("posix_spawn_file_actions_addchdir_np", POINTER, POINTER);
    private static final MethodHandle ADD_CLOSE_FROM =
            Libc.bind("posix_spawn_file_actions_addclosefrom_np", POINTER, INT);
    private static final MethodHandle ATTRIBUTES_INIT = Libc.bind("posix_spawnattr_init", POINTER);
    private static final MethodHandle ATTRIBUTES_DESTROY = Libc.bind("posix_spawnattr_destroy", POINTER);
    private static final MethodHandle SET_FLAGS =
            Libc.bind("posix_spawnattr_setflags", POINTER, ValueLayout.JAVA_SHORT);
    private static final MethodHandle SET_MASK = Libc.bind("posix_spawnattr_setsigmask", POINTER, POINTER);
    private static final MethodHandle SET_DEFAULT = Libc.bind("posix_spawnattr_setsigdefault", POINTER, POINTER);
    private static final MethodHandle FILL_SIGNALS = Libc.bind("sigfillset", POINTER);
    private static final MethodHandle POSIX_SPAWN =
            Libc.bind("posix_spawn", POINTER, POINTER, POINTER, POINTER, POINTER, POINTER);

    private Spawn() {}

    /// What the child gets.
    ///
    /// @param command     absolute program and its arguments
    /// @param descriptors number in the child, to number here; numbers here are 64 or more
    /// @param filter      opened for reading under the number `filterFd`
    /// @param filterFd    the number after the last of `descriptors`; everything above it is closed
    record Order(List<String> command, Map<Integer, Integer> descriptors, Path filter, int filterFd) {}

    /// Starts it. The parent-death signal of the child belongs to the calling *thread*: call this on one that lives
    /// as long as the agent.
    ///
    /// @return its process id; it must be waited for
    static int start(Order order) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment actions = arena.allocate(OPAQUE, 16);
            MemorySegment attributes = arena.allocate(OPAQUE, 16);
            check("posix_spawn_file_actions_init", ACTIONS_INIT, arena, actions);
            check("posix_spawnattr_init", ATTRIBUTES_INIT, arena, attributes);
            try {
                descriptors(arena, actions, order);
                signals(arena, attributes);
                MemorySegment pid = arena.allocate(INT);
                check(
                        order.command().getFirst(),
                        POSIX_SPAWN,
                        arena,
                        pid,
                        arena.allocateFrom(order.command().getFirst()),
                        actions,
                        attributes,
                        strings(arena, order.command()),
                        strings(arena, List.of()));
                return pid.get(INT, 0);
            } finally {
                Libc.invoke(ACTIONS_DESTROY, Libc.state(arena), actions);
                Libc.invoke(ATTRIBUTES_DESTROY, Libc.state(arena), attributes);
            }
        }
    }

    private static void descriptors(Arena arena, MemorySegment actions, Order order) throws IOException {
        for (Map.Entry<Integer, Integer> descriptor : order.descriptors().entrySet()) {
            check("adddup2", ADD_DUP2, arena, actions, descriptor.getValue(), descriptor.getKey());
        }
        MemorySegment filter = arena.allocateFrom(order.filter().toString());
        check("addopen", ADD_OPEN, arena, actions, order.filterFd(), filter, 0, 0);
        // The shell exports PWD, and pid 1 of the sandbox keeps it readable: it must not name a folder of the host.
        check("addchdir", ADD_CHDIR, arena, actions, arena.allocateFrom("/"));
        check("addclosefrom", ADD_CLOSE_FROM, arena, actions, order.filterFd() + 1);
    }

    /// The JVM blocks and handles signals for itself; a child must not inherit any of that.
    private static void signals(Arena arena, MemorySegment attributes) throws IOException {
        MemorySegment none = arena.allocate(OPAQUE, 16);
        MemorySegment all = arena.allocate(OPAQUE, 16);
        check("sigfillset", FILL_SIGNALS, arena, all);
        check("setsigmask", SET_MASK, arena, attributes, none);
        check("setsigdefault", SET_DEFAULT, arena, attributes, all);
        short flags = SET_SIGNAL_DEFAULT | SET_SIGNAL_MASK | SET_SESSION;
        check("setflags", SET_FLAGS, arena, attributes, flags);
    }

    private static MemorySegment strings(Arena arena, List<String> strings) {
        MemorySegment array = arena.allocate(MemoryLayout.sequenceLayout(strings.size() + 1L, ValueLayout.ADDRESS));
        for (int i = 0; i < strings.size(); i++) {
            array.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(strings.get(i)));
        }
        return array;
    }

    /// These functions answer the error number itself.
    private static void check(String name, MethodHandle function, Arena arena, Object... arguments) throws IOException {
        int error = Libc.invoke(function, Libc.state(arena), arguments);
        if (error != 0) {
            throw new Libc.ErrnoException(name, error);
        }
    }
}
