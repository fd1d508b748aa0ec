package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The sandboxes of one agent, from the test at start to the last clean-up. One live agent per state folder.
public final class Sandboxes implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Sandboxes.class.getName());

    private static final Path JAVA_HOME = Path.of(System.getProperty("java.home"));

    private final Path folder;
    private final FileChannel lock;
    private final List<AutoCloseable> resources = new ArrayList<>();
    private Optional<Ready> ready = Optional.empty();
    private SandboxReport report = new SandboxReport("none", "rlimit", false, "not opened");

    /// What is there when sandboxes can be started.
    private record Ready(Sandbox sandbox, Launcher launcher, Watchdog watchdog, JavaInside java) {}

    /// How to open them.
    ///
    /// @param stateDirectory   the agent's own
    /// @param allowUnsandboxed run bare where no sandbox holds
    /// @param patience         of the watchdog
    /// @param programs         folders where bwrap and the like are looked for
    public record Settings(
            Path stateDirectory, boolean allowUnsandboxed, Watchdog.Patience patience, List<Path> programs) {
        public Settings {
            programs = List.copyOf(programs);
        }

        /// With programs from the usual folders.
        public Settings(Path stateDirectory, boolean allowUnsandboxed, Watchdog.Patience patience) {
            this(stateDirectory, allowUnsandboxed, patience, Tools.USUAL_FOLDERS);
        }
    }

    private Sandboxes(Path folder, FileChannel lock) {
        this.folder = folder;
        this.lock = lock;
    }

    /// Reaps what a crashed agent of this folder left, then looks what this machine can hold and tries it.
    ///
    /// @throws IOException when the folder cannot be used, or another agent uses it
    public static Sandboxes open(Settings settings) throws IOException {
        Path folder = Files.createDirectories(settings.stateDirectory().resolve("sandbox"))
                .toRealPath();
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        var lock = FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (lock.tryLock() == null) {
                lock.close();
                throw new IOException("another agent uses " + folder + "; give each its own state directory");
            }
        } catch (OverlappingFileLockException e) {
            lock.close();
            throw new IOException("this process already uses " + folder + "; give each agent its own", e);
        }
        var sandboxes = new Sandboxes(folder, lock);
        sandboxes.prepare(settings);
        return sandboxes;
    }

    private void prepare(Settings settings) throws IOException {
        var leftovers = new Leftovers(folder);
        leftovers.reap();
        try {
            Base base = base(settings, leftovers);
            Optional<String> problem = bubblewrap(base);
            if (problem.isPresent() && settings.allowUnsandboxed()) {
                LOG.log(System.Logger.Level.WARNING, "event=unsandboxed handlers see this machine; {0}", problem.get());
                Sandbox bare = new BareSandbox(base.starter(), base.tools().shell(), base.label());
                use(base.withJava(JavaInside.bare(JAVA_HOME)), bare, problem.get());
            } else if (problem.isPresent()) {
                report = new SandboxReport("none", base.starter().limits(), false, problem.get());
            }
        } catch (SandboxUnavailableException e) {
            report = new SandboxReport("none", "rlimit", false, e.sentence());
        }
    }

    /// What every kind of sandbox stands on.
    private record Base(
            String label, Tools tools, Launcher launcher, Watchdog watchdog, Starter starter, JavaInside java) {
        Base withJava(JavaInside other) {
            return new Base(label, tools, launcher, watchdog, starter, other);
        }
    }

    private Base base(Settings settings, Leftovers leftovers) throws IOException, SandboxUnavailableException {
        String label = leftovers.label();
        Tools tools = Tools.find(settings.programs());
        Launcher launcher = keep(Launcher.open(label));
        Optional<Cgroups> cgroups = Cgroups.find(label);
        cgroups.ifPresent(this::keep);
        Watchdog watchdog = keep(Watchdog.start(launcher, folder, settings.patience()));
        leftovers.remember(cgroups.map(Cgroups::homes).orElse(List.of()));
        Optional<UserIds> users = launcher.root() ? Optional.of(UserIds.of(label)) : Optional.empty();
        var starter = new Starter(new Starter.Parts(launcher, tools, users, cgroups, filter(), watchdog));
        JavaInside java = JavaInside.of(JAVA_HOME, launcher);
        return new Base(label, tools, launcher, watchdog, starter, java);
    }

    /// Tries it from inside.
    ///
    /// @return why it cannot be used; empty when it is in use
    private Optional<String> bubblewrap(Base base) throws IOException {
        if (base.tools().bubblewrap().isEmpty()) {
            return Optional.of("bubblewrap is not installed; install it: apt-get install bubblewrap");
        }
        Launcher launcher = base.launcher();
        Path alternatives =
                launcher.call(() -> Launcher.traversable(launcher.place().resolve("alternatives")));
        launcher.call(() -> {
            HostFolders.copyAlternatives(alternatives);
            return true;
        });
        var sandbox = new BubblewrapSandbox(
                base.starter(), base.tools().bubblewrap().get(), base.label(), HostFolders.arguments(alternatives));
        Path classes = folder.resolve("probe");
        ClassFiles.copy(InsideProbe.class, List.of("InsideProbe.class"), classes);
        Optional<String> failure = new SelfTest(sandbox, base.java(), launcher.share(classes), folder).failure();
        if (failure.isEmpty()) {
            String detail = sandbox.limits().equals("cgroup")
                    ? "memory, processes and time are limited by control groups"
                    : "no writable control group: memory is limited per process only";
            use(base, sandbox, detail);
        }
        return failure.map(check -> "the sandbox does not hold on this machine: " + check + UserNamespaces.hint());
    }

    private void use(Base base, Sandbox sandbox, String detail) {
        ready = Optional.of(new Ready(sandbox, base.launcher(), base.watchdog(), base.java()));
        report = new SandboxReport(sandbox.kind(), sandbox.limits(), true, detail);
        LOG.log(
                System.Logger.Level.INFO,
                "event=sandbox_ready kind={0} limits={1} detail={2}",
                sandbox.kind(),
                sandbox.limits(),
                detail);
    }

    private Path filter() throws IOException, SandboxUnavailableException {
        String arch = System.getProperty("os.arch");
        SeccompFilter.Machine machine = SeccompFilter.Machine.of(arch)
                .orElseThrow(() -> new SandboxUnavailableException(
                        "there is no system call filter for " + arch + "; use x86_64 or aarch64"));
        return Files.write(folder.resolve("filter.bpf"), SeccompFilter.program(machine));
    }

    private <T extends AutoCloseable> T keep(T resource) {
        resources.addFirst(resource);
        return resource;
    }

    public SandboxReport report() {
        return report;
    }

    /// Empty when nothing may run; the report says why.
    public Optional<Sandbox> sandbox() {
        return ready.map(Ready::sandbox);
    }

    public Optional<Watchdog> watchdog() {
        return ready.map(Ready::watchdog);
    }

    /// The agent's JDK as sandboxes see it.
    public Optional<JavaInside> java() {
        return ready.map(Ready::java);
    }

    /// Copies a handler's folder to a place that sandboxes can read.
    ///
    /// @param name a file name of its own
    /// @return what [SandboxOrder] wants as folder
    public Path stage(String name, Path original) throws IOException {
        Path copy = folder.resolve("handlers").resolve(name);
        Staging.copy(original, copy);
        return ready.orElseThrow().launcher().share(copy);
    }

    /// Puts classes of the agent where sandboxes can read them, as a class path.
    ///
    /// @param anchor a class of their package
    public Path stage(String name, Class<?> anchor, List<String> classes) throws IOException {
        Path copy = folder.resolve("handlers").resolve(name);
        ClassFiles.copy(anchor, classes, copy);
        return ready.orElseThrow().launcher().share(copy);
    }

    /// Ends the watchdog and the launcher, and with it every sandbox that is left.
    @Override
    public void close() throws IOException {
        for (AutoCloseable resource : resources) {
            Started.closeQuietly(resource);
        }
        lock.close();
    }
}
