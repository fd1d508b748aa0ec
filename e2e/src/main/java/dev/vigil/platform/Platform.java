package dev.vigil.platform;

import dev.vigil.agent.handler.Handler;
import dev.vigil.agent.handler.HandlerUnreadableException;
import dev.vigil.api.ApiService;
import dev.vigil.audit.AuditService;
import dev.vigil.gdpr.GdprService;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.EmbeddedPostgres;
import dev.vigil.postgres.FolderLock;
import dev.vigil.postgres.FreePort;
import dev.vigil.postgres.PostgresSettings;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.Roles;
import dev.vigil.scheduler.CoreService;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// All of Vigil on this machine: PostgreSQL, the server services as sibling contexts in this JVM, further cores and the
/// workers as processes of their own. The one fixture of `./vigil dev`, the demo and the end-to-end tests.
///
/// Everything binds the loopback interface and keeps what it stores below one folder. Whatever it starts ends with this
/// JVM, a kill included. Thread-safe once started.
final class Platform implements AutoCloseable {
    /// What every worker brings along.
    private static final List<String> DEMO_HANDLERS = List.of("demo.echo", "demo.fail", "demo.secret", "demo.sleep");

    private static final InstantSource CLOCK = InstantSource.system();
    private static final Duration END_OF_PREDECESSORS = Duration.ofSeconds(20);
    private static final Duration START_PATIENCE = Duration.ofSeconds(60);
    private static final int WORKER_HEAP_MEGABYTES = 128;
    private static final int CORE_HEAP_MEGABYTES = 256;

    private final PlatformSettings settings;
    private final DataFolder folder;
    private final Consumer<String> progress;
    private final Deque<Part> parts = new ArrayDeque<>();
    private final Map<String, ChildProcess> children = new HashMap<>();
    private @Nullable Ready ready;

    private Platform(PlatformSettings settings, Consumer<String> progress) {
        this.settings = settings;
        this.folder = new DataFolder(settings.data());
        this.progress = progress;
    }

    /// Something that was started, and how to end it.
    private record Part(String name, AutoCloseable end) {}

    /// Starts everything and returns once a task can run.
    ///
    /// @param progress takes a line for each thing that stands
    /// @throws PlatformStartException when something cannot start; what was started before is ended
    static Platform start(PlatformSettings settings, Consumer<String> progress) {
        var platform = new Platform(settings, progress);
        try {
            platform.startParts();
            return platform;
        } catch (IOException failure) {
            platform.close();
            throw new UncheckedIOException("Vigil not started in " + settings.data(), failure);
        } catch (RuntimeException failure) {
            platform.close();
            throw failure;
        }
    }

    /// How to reach it.
    Ready ready() {
        if (ready == null) {
            throw new IllegalStateException("the platform is not started");
        }
        return ready;
    }

    /// The process that runs a part now, `worker-1` or `core-2`; empty while it is started again.
    Optional<ProcessHandle> process(String name) {
        return Optional.ofNullable(children.get(name)).flatMap(ChildProcess::handle);
    }

    private void startParts() throws IOException {
        claimFolder();
        Ports ports = Ports.choose(settings.port());
        Prepared prepared = database();
        DevCredentials credentials = DevCredentials.keptIn(folder.credentials());
        var services = new ServiceSettings(folder, ports, prepared.database, credentials);
        List<Handler> handlers = handlers();
        Instant start = CLOCK.instant();
        startWorkers(services, null);
        part("API", ApiService.start(services.api(approved(handlers))));
        var registrar = new Registrar(
                VigilClient.ofUser(Ports.url(ports.api()), DevCredentials.ADMIN, credentials.adminPassword()));
        registrar.propose(handlers);
        startWorkers(services, registrar);
        part("audit-service", AuditService.start(services.audit()));
        part(
                "gdpr-service",
                GdprService.start(services.gdpr(
                        Certificates.stillGood(services.identity("gdpr"), CLOCK)
                                ? Optional.empty()
                                : Optional.of(registrar.invite("service:gdpr")))));
        startCores(services, registrar);
        registrar.awaitWorkers(settings.workers(), start, START_PATIENCE);
        progress.accept(settings.workers() == 1 ? "1 worker" : settings.workers() + " workers");
        ready = ready(services, prepared);
    }

    private void claimFolder() throws IOException {
        FolderLock lock = folder.claim()
                .orElseThrow(() -> new PlatformStartException("another Vigil runs on " + settings.data()
                        + "; stop it with `./vigil stop --data " + settings.data() + "` or give another --data"));
        parts.push(new Part("lock", lock));
        folder.removeReady();
        folder.awaitEndOfOthers(END_OF_PREDECESSORS);
    }

    /// A database with Vigil's roles, and where it is.
    private record Prepared(Database database, String host, int port, String name) {}

    /// In the PostgreSQL of somebody else, or in one of its own.
    private Prepared database() {
        OtherServer other = settings.otherServer();
        if (other != null) {
            Database database = other.prepare(folder.rolePasswords());
            progress.accept("database " + other);
            return new Prepared(database, other.host(), other.port(), other.database());
        }
        EmbeddedPostgres server = EmbeddedPostgres.start(
                PostgresSettings.in(folder.postgres()).withServerDir(settings.programs()),
                process -> folder.note("postgres", process));
        part("PostgreSQL", server);
        Database database = Roles.bootstrap(server, folder.rolePasswords());
        return new Prepared(database, server.host(), server.port(), Roles.DATABASE);
    }

    private List<Handler> handlers() {
        Path handlers = settings.handlers();
        try {
            return handlers == null ? List.of() : Handler.readAll(handlers);
        } catch (HandlerUnreadableException unreadable) {
            throw new PlatformStartException(String.valueOf(unreadable.getMessage()), unreadable);
        }
    }

    private List<String> approved(List<Handler> handlers) {
        var names = new ArrayList<>(DEMO_HANDLERS);
        if (settings.approveHandlers()) {
            handlers.forEach(handler -> names.add(handler.name()));
        }
        return names;
    }

    /// The first core lives in this JVM; the others can be killed one by one.
    private void startCores(ServiceSettings services, Registrar registrar) throws IOException {
        part("core-1", CoreService.start(core(1, services, registrar)));
        var health = new ArrayList<Integer>();
        for (int i = 2; i <= settings.cores(); i++) {
            Map<String, Object> core = core(i, services, registrar);
            health.add(FreePort.pick());
            core.put("vigil.core.management-port", health.getLast());
            child("core-" + i, Child.Service.CORE, core);
        }
        for (int i = 2; i <= settings.cores(); i++) {
            Registrar.awaitHealthy(Ports.url(health.get(i - 2)), START_PATIENCE);
            progress.accept("core-" + i);
        }
    }

    private Map<String, Object> core(int number, ServiceSettings services, Registrar registrar) throws IOException {
        String name = "core-" + number;
        return services.core(
                name,
                Certificates.stillGood(services.identity(name), CLOCK)
                        ? Optional.empty()
                        : Optional.of(registrar.invite("service:core")));
    }

    /// Workers that have a certificate need no invitation: they start beside the services and wait for them.
    ///
    /// @param registrar null before the API answers
    private void startWorkers(ServiceSettings services, @Nullable Registrar registrar) throws IOException {
        for (int i = 1; i <= settings.workers(); i++) {
            String name = "worker-" + i;
            Path identity = folder.part("workers/" + name).resolve("identity");
            if (children.containsKey(name)) {
                continue;
            }
            if (registrar != null) {
                var invitation = Optional.of(registrar.invite("default"));
                child(name, Child.Service.WORKER, services.worker(name, settings, invitation));
            } else if (Certificates.stillGood(identity, CLOCK)) {
                child(name, Child.Service.WORKER, services.worker(name, settings, Optional.empty()));
            }
        }
    }

    private void child(String name, Child.Service service, Map<String, Object> serviceSettings) {
        var texts = new HashMap<String, String>();
        serviceSettings.forEach((key, value) -> texts.put(key, value.toString()));
        int heap = service == Child.Service.WORKER ? WORKER_HEAP_MEGABYTES : CORE_HEAP_MEGABYTES;
        var child = new ChildProcess(
                new ChildSettings(service, name, heap, texts, folder.dir().resolve(name + ".log")), folder::note);
        children.put(name, child);
        parts.push(new Part(name, child));
    }

    private Stream<ChildProcess> workers() {
        return children.entrySet().stream()
                .filter(child -> child.getKey().startsWith("worker-"))
                .map(Map.Entry::getValue);
    }

    private void part(String name, AutoCloseable end) {
        parts.push(new Part(name, end));
        progress.accept(name);
    }

    private static Ready ready(ServiceSettings services, Prepared postgres) {
        Ports ports = services.ports();
        return new Ready(
                Ports.url(ports.api()),
                Ports.url(ports.audit()),
                Ports.url(ports.gdpr()),
                services.workerUrl(),
                Ports.url(ports.management()),
                new Ready.Admin(DevCredentials.ADMIN, services.credentials().adminPassword()),
                new Ready.Client(DevCredentials.CLIENT, services.credentials().clientSecret()),
                services.identity("core-1").resolve("ca.pem").toString(),
                new Ready.Postgres(
                        postgres.host,
                        postgres.port,
                        postgres.name,
                        Role.OWNER.roleName(),
                        services.database().as(Role.OWNER).password()),
                ProcessHandle.current().pid());
    }

    /// Ends everything in the reverse order of its start. One part's failure does not keep the others.
    @Override
    public void close() {
        workers().forEach(ChildProcess::tellToEnd);
        for (Part part = parts.poll(); part != null; part = parts.poll()) {
            try {
                part.end().close();
            } catch (Exception failure) {
                System.getLogger(Platform.class.getName())
                        .log(System.Logger.Level.WARNING, "event=part_not_ended part=" + part.name(), failure);
            }
        }
    }
}
