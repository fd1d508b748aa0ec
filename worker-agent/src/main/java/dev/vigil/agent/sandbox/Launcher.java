package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/// The one thread that starts sandboxes, and the private place it sees.
///
/// It is a platform thread that lives as long as the agent, because Linux ties a child's parent-death signal to the
/// thread that made it. When the agent is root the thread has a mount namespace of its own: a small tmpfs in it
/// holds the secrets of running handlers and bind mounts of folders that only root may reach. No other process sees
/// that place, and it vanishes with the agent.
final class Launcher implements AutoCloseable {
    private static final int CLONE_NEWNS = 0x20000;
    private static final String PLACE_SIZE = "32m";
    private static final String TASKS = "tasks";
    private static final String SHARED = "shared";

    private final ExecutorService thread;
    private final Path place;
    private final boolean root;
    private final AtomicInteger numbers = new AtomicInteger();

    private Launcher(ExecutorService thread, Path place, boolean root) {
        this.thread = thread;
        this.place = place;
        this.root = root;
    }

    /// @param label name of the place where it lies in a folder that others use too
    static Launcher open(String label) throws SandboxUnavailableException {
        ExecutorService thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("sandbox-launcher").factory());
        boolean root = Libc.uid() == 0;
        try {
            // bwrap's front ends before its child does. The child then is ours to reap, whoever is pid 1 here.
            Libc.adoptOrphans();
            Path place = run(thread, () -> root ? privateMount() : ownFolder(label));
            return new Launcher(thread, place, root);
        } catch (IOException e) {
            thread.shutdown();
            throw new SandboxUnavailableException(
                    root
                            ? "root without the right to mount cannot make a private place for sandboxes; run the "
                                    + "agent as an unprivileged user, or give it CAP_SYS_ADMIN (" + e.getMessage() + ")"
                            : "no folder in memory for the secrets of handlers: " + e.getMessage(),
                    e);
        }
    }

    private static Path privateMount() throws IOException {
        Path place = mountPoint();
        Libc.unshare(CLONE_NEWNS);
        new Libc.Mount("none", Path.of("/"), "", Libc.Mount.RECURSIVE | Libc.Mount.SLAVE, "").apply();
        long flags = Libc.Mount.NO_SUID | Libc.Mount.NO_DEV | Libc.Mount.NO_EXEC;
        String options = "mode=0711,size=" + PLACE_SIZE;
        try {
            new Libc.Mount("vigil", place, "tmpfs", flags, options + ",noswap").apply();
        } catch (Libc.ErrnoException e) {
            new Libc.Mount("vigil", place, "tmpfs", flags, options).apply(); // Linux before 6.4 has no noswap
        }
        traversable(place.resolve(TASKS));
        traversable(place.resolve(SHARED));
        return place;
    }

    /// Makes a folder that a sandbox's user passes through but cannot list, whatever the umask is.
    static Path traversable(Path folder) throws IOException {
        Files.createDirectory(folder);
        return Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    }

    private static Path mountPoint() throws IOException {
        var traversable = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x"));
        Path usual = Path.of("/run/vigil-agent");
        try {
            return Files.isDirectory(usual) ? usual : Files.createDirectory(usual, traversable);
        } catch (IOException e) {
            return Files.createTempDirectory("vigil-agent", traversable);
        }
    }

    private static Path ownFolder(String label) throws IOException {
        Path memory = Path.of("/dev/shm");
        if (!Files.isDirectory(memory) || !Files.getFileStore(memory).type().equals("tmpfs")) {
            throw new IOException("/dev/shm is not a tmpfs; mount one");
        }
        Path folder = memory.resolve(label);
        deleteTree(folder);
        var ownerOnly = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        Files.createDirectory(folder, ownerOnly);
        Files.createDirectory(folder.resolve(TASKS), ownerOnly);
        return folder;
    }

    /// True when children must be given another uid, and folders a path that it can reach.
    boolean root() {
        return root;
    }

    /// A folder in memory that nobody but this agent and its sandboxes reaches. Its files are touched by [#call]
    /// only.
    Path place() {
        return place;
    }

    /// Where the folders of running tasks lie.
    Path tasks() {
        return place.resolve(TASKS);
    }

    /// Runs on the launcher's thread and waits.
    <T> T call(Callable<T> action) throws IOException {
        return run(thread, action);
    }

    /// A path by which a sandbox's uid reaches this folder, whoever may traverse its parents.
    Path share(Path folder) throws IOException {
        if (!root) {
            return folder;
        }
        return call(() -> {
            Path target = Files.createDirectory(place.resolve(SHARED).resolve("" + numbers.incrementAndGet()));
            long bind = Libc.Mount.BIND | Libc.Mount.RECURSIVE;
            new Libc.Mount(folder.toString(), target, "", bind, "").apply();
            long readOnly = Libc.Mount.BIND
                    | Libc.Mount.REMOUNT
                    | Libc.Mount.READ_ONLY
                    | Libc.Mount.NO_SUID
                    | Libc.Mount.NO_DEV;
            new Libc.Mount("none", target, "", readOnly, "").apply();
            return target;
        });
    }

    /// Ends what [#share] gave. Sandboxes that still run keep their own view.
    void unshare(Path shared) throws IOException {
        if (root) {
            call(() -> {
                Libc.unmount(shared);
                Files.delete(shared);
                return true;
            });
        }
    }

    /// Two ends of one socket: the agent's, and a descriptor for a child, to be closed by the caller.
    record Channel(SocketChannel agent, int child) {}

    /// Must be called on the launcher's thread.
    Channel channel() throws IOException {
        Path path = place.resolve("channel-" + numbers.incrementAndGet());
        try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path), 1);
            int child = Libc.park(Libc.connect(path));
            try {
                return new Channel(server.accept(), child);
            } catch (IOException e) {
                Libc.close(child);
                throw e;
            }
        } finally {
            Files.deleteIfExists(path);
        }
    }

    private static <T> T run(ExecutorService thread, Callable<T> action) throws IOException {
        var answer = new CompletableFuture<T>();
        thread.execute(() -> {
            try {
                answer.complete(action.call());
            } catch (Exception e) {
                answer.completeExceptionally(e);
            }
        });
        try {
            return answer.join(); // not interruptible: a process that was started must not lose its owner
        } catch (CompletionException e) {
            switch (e.getCause()) {
                case IOException cause -> throw cause;
                case UncheckedIOException cause -> throw cause.getCause();
                case null, default -> throw new IllegalStateException("an order to the launcher was wrong", e);
            }
        }
    }

    static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /// Ends the thread, and with it every sandbox that is left.
    @Override
    public void close() {
        if (!root) {
            try {
                deleteTree(place);
            } catch (IOException e) {
                System.getLogger(Launcher.class.getName())
                        .log(System.Logger.Level.WARNING, "event=place_left_behind folder=" + place, e);
            }
        }
        thread.close();
    }
}
