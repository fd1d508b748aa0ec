package dev.vigil.chaos;

import dev.vigil.api.ApiService;
import dev.vigil.audit.AuditService;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.FreePort;
import dev.vigil.postgres.Role;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.CoreService;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import tools.jackson.databind.JsonNode;

/// All of Vigil as an installation runs it: PostgreSQL, two APIs, several cores and workers and the audit service, each
/// a process of its own.
final class Fleet implements AutoCloseable {
    private static final String ADMIN_PASSWORD = "chaos-chaos-chaos-1";
    private static final String CLIENT = "chaos-client";
    private static final String CLIENT_SECRET = "chaos0123456789chaos0123456789chaos0123456789";
    private static final Duration START = Duration.ofMinutes(2);
    /// Of all processes at once on a slow machine.
    private static final Duration READY = Duration.ofSeconds(90);

    private final Path folder;
    private final Lan lan;
    private final Optional<Clocks> clocks;
    private final Server server;
    private final Database database;
    private final Truth truth;
    private final Map<String, Node> nodes = new LinkedHashMap<>();
    private final Map<String, String> health = new TreeMap<>();
    private final Map<String, UUID> workers = new TreeMap<>();
    private final Map<String, Integer> ports = new TreeMap<>();

    private Fleet(Path folder, Lan lan) throws IOException {
        this.folder = folder;
        this.lan = lan;
        this.clocks = Clocks.in(folder);
        this.server = Server.start(folder.resolve("postgres"), lan);
        this.database = server.database(folder.resolve("roles"));
        this.truth = new Truth(server.superuser());
    }

    /// How many of what.
    record Size(int cores, int workers) {}

    /// Starts all and returns once all is ready.
    static Fleet start(Path folder, Lan lan, Size size) throws IOException, SQLException {
        var fleet = new Fleet(folder, lan);
        try {
            fleet.startAll(size);
            return fleet;
        } catch (IOException | RuntimeException failure) {
            fleet.close();
            throw failure;
        }
    }

    private void startAll(Size size) throws IOException {
        for (String port : List.of("api-1", "api-2", "audit", "links")) {
            ports.put(port, FreePort.pick());
        }
        add("api-1", ApiService.class, api("api-1"));
        awaitHealthy(List.of("api-1"));
        add("api-2", ApiService.class, api("api-2"));
        add("audit", AuditService.class, audit());
        Caller admin = Caller.login(url("api-1"), "admin", ADMIN_PASSWORD);
        for (int i = 1; i <= size.cores; i++) {
            add("core-" + i, CoreService.class, core("core-" + i, invite(admin, "service:core")));
        }
        for (int i = 1; i <= size.workers; i++) {
            add("worker-" + i, ChaosWorker.class, worker("worker-" + i, invite(admin, "default")));
        }
        Waiting.until("every worker is enrolled", START, () -> {
            for (JsonNode one :
                    admin.get(url("api-1") + "/api/v1/workers").expect(200).path("items")) {
                Id.parse(Kind.WORKER, one.path("id").asString())
                        .ifPresent(id -> workers.put(one.path("name").asString(), id.uuid()));
            }
            return workers.size() == size.workers;
        });
        awaitReady();
    }

    private JsonNode invite(Caller admin, String group) throws IOException {
        return admin.post(url("api-1") + "/api/v1/workers/join-tokens", Map.of("group", group, "uses", 1))
                .expect(201);
    }

    private void add(String name, Class<?> main, Map<String, String> settings) {
        boolean remote = name.startsWith("core") || name.startsWith("worker");
        List<String> prefix = remote ? lan.prefix(name) : List.of();
        var environment = new TreeMap<String, String>();
        clocks.filter(one -> Clocks.MOVABLE.contains(name)).ifPresent(one -> environment.putAll(one.environment(name)));
        environment.put(ChaosWorker.STARTS, starts(name).toString());
        var node = new Node(new Node.Plan(name, main, settings, prefix, environment, folder.resolve(name + ".log")));
        nodes.put(name, node);
        node.start();
    }

    private Path starts(String worker) {
        return folder.resolve(worker + ".starts");
    }

    /// What the workers ran until now.
    List<Runs> runs() throws IOException {
        var runs = new ArrayList<Runs>();
        for (String worker : workerNames()) {
            Node node = node(worker);
            runs.add(new Runs(worker, StartLog.read(starts(worker)), node.deaths(), node.pauses(), Runs.Reading.now()));
        }
        return runs;
    }

    private Map<String, String> database(Role role, String host) {
        var settings = new TreeMap<String, String>();
        database.settings(role).forEach((name, value) -> settings.put(name, value.toString()));
        settings.put("vigil.database.url", database.url().replace("127.0.0.1", host));
        return settings;
    }

    private Map<String, String> web(Role role, String name) {
        Map<String, String> settings = database(role, "127.0.0.1");
        settings.computeIfPresent("vigil.database.url", (key, url) -> url + "&ApplicationName=" + name);
        settings.put("server.address", "127.0.0.1");
        settings.put("server.port", Integer.toString(port(name)));
        health.put(name, url(name));
        return settings;
    }

    private Map<String, String> api(String name) {
        Map<String, String> settings = web(Role.API, name);
        settings.put("vigil.url", url("api-1"));
        settings.put("vigil.audit.url", "http://127.0.0.1:" + port("audit"));
        settings.put("vigil.worker-port.address", lan.hub());
        settings.put("vigil.worker-port.port", name.equals("api-1") ? Integer.toString(port("links")) : "0");
        settings.put("vigil.vault.worker-port-hosts", "localhost,127.0.0.1," + Lan.HUB);
        settings.put("vigil.vault.root-key-file", folder.resolve("root.key").toString());
        settings.put("vigil.vault.create-root-key", "true");
        settings.put("vigil.bootstrap.admin.username", "admin");
        settings.put("vigil.bootstrap.admin.password", ADMIN_PASSWORD);
        settings.put("vigil.bootstrap.client.id", CLIENT);
        settings.put("vigil.bootstrap.client.secret", CLIENT_SECRET);
        settings.put("vigil.bootstrap.approved-handlers", "demo.echo,demo.fail,demo.secret,demo.sleep");
        settings.put("vigil.limits.requests-per-minute", "1000000");
        settings.put("management.server.port", Integer.toString(FreePort.pick()));
        settings.put("management.server.address", "127.0.0.1");
        return settings;
    }

    private Map<String, String> audit() {
        Map<String, String> settings = web(Role.AUDIT, "audit");
        settings.put("vigil.token.issuer", url("api-1"));
        settings.put("vigil.audit.signing-key-file", folder.resolve("audit.pem").toString());
        settings.put("vigil.audit.create-signing-key", "true");
        return settings;
    }

    private Map<String, String> core(String name, JsonNode invitation) {
        Map<String, String> settings = database(Role.CORE, lan.hub());
        String address = lan.address(name);
        int management = FreePort.pick();
        ports.put(name, FreePort.pick());
        health.put(name, "http://" + address + ":" + management);
        settings.put("vigil.core.name", name);
        settings.put("vigil.core.state-dir", folder.resolve(name).toString());
        settings.put("vigil.core.api-url", linkUrl());
        settings.put("vigil.core.host", address);
        settings.put("vigil.core.advertised-host", address);
        settings.put("vigil.core.sessions-port", Integer.toString(port(name)));
        settings.put("vigil.core.management-port", Integer.toString(management));
        settings.put("vigil.core.join-token", invitation.path("token").asString());
        settings.put("vigil.core.ca-pin", invitation.path("ca_pin").asString());
        return settings;
    }

    private Map<String, String> worker(String name, JsonNode invitation) {
        lan.address(name);
        var settings = new TreeMap<String, String>();
        settings.put("vigil.agent.name", name);
        settings.put("vigil.agent.state-dir", folder.resolve(name).toString());
        settings.put("vigil.agent.api-url", linkUrl());
        settings.put("vigil.agent.drain-timeout", "2s");
        settings.put("vigil.agent.join-token", invitation.path("token").asString());
        settings.put("vigil.agent.ca-pin", invitation.path("ca_pin").asString());
        return settings;
    }

    private int port(String service) {
        Integer port = ports.get(service);
        if (port == null) {
            throw new IllegalArgumentException("no port of " + service);
        }
        return port;
    }

    private String linkUrl() {
        return "https://" + lan.hub() + ":" + port("links");
    }

    String url(String api) {
        return "http://127.0.0.1:" + port(api);
    }

    List<String> apis() {
        return List.of(url("api-1"), url("api-2"));
    }

    Caller caller() throws IOException {
        return Caller.client(url("api-1"), CLIENT, CLIENT_SECRET);
    }

    Node node(String name) {
        Node node = nodes.get(name);
        if (node == null) {
            throw new IllegalArgumentException("no node " + name);
        }
        return node;
    }

    /// The names of all nodes, in the order in which they are started.
    Collection<String> names() {
        return List.copyOf(nodes.keySet());
    }

    List<String> cores() {
        return names().stream().filter(name -> name.startsWith("core-")).toList();
    }

    List<String> workerNames() {
        return List.copyOf(workers.keySet());
    }

    UUID worker(String name) {
        UUID id = workers.get(name);
        if (id == null) {
            throw new IllegalArgumentException("no worker " + name);
        }
        return id;
    }

    /// How a core's sessions address ends in the table of cores.
    String sessions(String core) {
        return lan.address(core) + ":" + port(core);
    }

    Server server() {
        return server;
    }

    Truth truth() {
        return truth;
    }

    Lan lan() {
        return lan;
    }

    Optional<Clocks> clocks() {
        return clocks;
    }

    /// Starts what does not run, and waits until everything says that it is ready.
    ///
    /// @return seconds
    double awaitReady() {
        long start = System.nanoTime();
        server.up();
        nodes.values().forEach(Node::start);
        awaitHealthy(health.keySet());
        Waiting.until("every worker is heard", READY, () -> heard() == workers.size());
        return Waiting.since(start);
    }

    /// How many workers have been heard in this life of theirs, and a moment ago.
    private long heard() throws SQLException {
        var heard = new HashSet<String>();
        for (String worker : workers.keySet()) {
            heard.addAll(truth.rows(
                    "SELECT worker FROM scheduler.worker_report r JOIN scheduler.core USING (incarnation)"
                            + " WHERE last_heartbeat_at > clock_timestamp() - interval '4 seconds'"
                            + " AND worker = ? AND last_heartbeat_at > ?::timestamptz",
                    row -> row.getString(1),
                    worker(worker),
                    node(worker).startedAt().toString()));
        }
        return heard.size();
    }

    private void awaitHealthy(Collection<String> names) {
        var anybody = new Caller("");
        for (String name : names) {
            Waiting.until(name + " is ready", READY, () -> {
                if (!node(name).isAlive()) {
                    node(name).start();
                }
                return anybody.get(health.get(name) + "/readyz").status() == 200;
            });
        }
    }

    /// The last lines of each log, for a message.
    String lastWords() {
        var words = new ArrayList<String>();
        for (String name : nodes.keySet()) {
            try {
                List<String> lines = Files.readAllLines(folder.resolve(name + ".log"));
                words.add(name + ":\n  "
                        + String.join("\n  ", lines.subList(Math.max(0, lines.size() - 8), lines.size())));
            } catch (IOException none) {
                words.add(name + " wrote nothing");
            }
        }
        return String.join("\n", words);
    }

    @Override
    public void close() {
        truth.close();
        nodes.values().stream().filter(Node::isAlive).forEach(Node::kill);
        server.close();
    }
}
