package dev.vigil.agent.handler;

import static dev.vigil.agent.handler.Workplace.outcome;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A handler that wants out. Each attack runs twice: inside a sandbox, where it must reach nothing, and outside as
/// the control, where it must reach what it is after; a probe that fails everywhere proves nothing.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostileHandlerTest {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final String MARKER = "probe-marker-" + UUID.randomUUID();
    private static final int MEMORY_MIB = 128;
    private static final int PIDS = 60;

    private Path folder;
    private Path probe;
    private Workplace workplace;

    @BeforeAll
    void open(@TempDir Path temporary) throws Exception {
        folder = temporary;
        String program;
        try (var resource = getClass().getResourceAsStream("/probes/probe.py")) {
            program = new String(resource.readAllBytes(), StandardCharsets.UTF_8);
        }
        probe = Files.writeString(folder.resolve("probe.py"), program);
        String command = "command: [/usr/bin/python3, -I, -S, run]\nisolation: fresh\n";
        workplace = Workplace.in(folder.resolve("work"))
                .handler("probe", command, program)
                .handler(
                        "small",
                        command + "limits: {memory: " + MEMORY_MIB + "MB, pids: " + PIDS + ", tmp: 8MB, cpus: 0.5}\n",
                        program)
                .open();
    }

    @AfterAll
    void close() {
        workplace.close();
    }

    private JsonNode inside(String verb, Map<String, ?> arguments) {
        return inside("probe", verb, arguments);
    }

    private JsonNode inside(String handler, String verb, Map<String, ?> arguments) {
        return JSON.readTree(workplace.output(handler, order(verb, arguments)));
    }

    private static String order(String verb, Map<String, ?> arguments) {
        var order = new TreeMap<String, Object>(arguments);
        order.put("verb", verb);
        return JSON.writeValueAsString(order);
    }

    /// The control: the same attack as a plain process of this user.
    private JsonNode outside(String verb, Map<String, ?> arguments) {
        try {
            Process process = start(verb, arguments);
            String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(answer).isZero();
            return JSON.readTree(answer);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError("the control did not run", e);
        }
    }

    private Process start(String verb, Map<String, ?> arguments) throws IOException {
        var builder = new ProcessBuilder(
                        "/usr/bin/python3", "-I", "-S", probe.toString(), verb, JSON.writeValueAsString(arguments))
                .redirectErrorStream(true);
        builder.environment().put("MARKER", MARKER);
        return builder.start();
    }

    private static List<String> texts(JsonNode list) {
        var texts = new ArrayList<String>();
        list.forEach(item -> texts.add(item.isString() ? item.stringValue() : item.toString()));
        return texts;
    }

    @Test
    void it_writes_nowhere_but_to_its_scratch_space() {
        List<String> walls = List.of(
                "/x",
                "/usr/x",
                "/usr/bin/x",
                "/etc/x",
                "/handler/x",
                "/handler/run",
                "/dev/x",
                "/run/x",
                "/run/task/x",
                "/run/task/secrets/x",
                "/proc/sys/kernel/hostname",
                "/proc/sysrq-trigger",
                "/etc/alternatives/x");

        assertThat(texts(inside("write", Map.of("paths", walls)).get("written")))
                .isEmpty();
        assertThat(texts(inside("write", Map.of("paths", List.of("/tmp/x", "/dev/shm/x")))
                        .get("written")))
                .as("control: scratch space is there")
                .hasSize(2);
        String elsewhere = folder.resolve("x").toString();
        assertThat(texts(outside("write", Map.of("paths", List.of(elsewhere))).get("written")))
                .hasSize(1);
    }

    @Test
    void it_sees_no_file_of_the_host_but_programs() throws Exception {
        Path key = Files.createFile(
                folder.resolve("key.pem"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(key, "secret");
        Path open = Files.writeString(folder.resolve("readable"), "everybody");
        List<String> paths = List.of(
                key.toString(),
                open.toString(),
                folder.toString(),
                "/etc/passwd",
                "/etc/hostname",
                "/root",
                "/home",
                "/var",
                "/sys",
                "/boot",
                "/proc/1/root" + key,
                "/proc/1/cwd/etc/passwd");

        assertThat(texts(inside("read", Map.of("paths", paths)).get("readable")))
                .isEmpty();
        assertThat(texts(outside("read", Map.of("paths", paths)).get("readable")))
                .contains(key.toString(), open.toString(), "/etc/passwd", "/sys");
        assertThat(texts(inside("read", Map.of("paths", List.of("/usr/bin/sh", "/handler/run")))
                        .get("readable")))
                .as("control: it can read at all")
                .hasSize(2);
    }

    @Test
    void it_reaches_no_network_not_even_the_loopback_or_an_abstract_socket_of_the_host() throws Exception {
        Path path = folder.resolve("socket");
        String name = "vigil-" + UUID.randomUUID();
        Process listener = start("listen_abstract", Map.of("name", name));
        listener.getInputStream().read(); // it listens
        try (var any = new ServerSocket(0);
                var unix = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            unix.bind(UnixDomainSocketAddress.of(path));
            var addresses = new ArrayList<Object>();
            addresses.add(List.of("127.0.0.1", any.getLocalPort()));
            for (NetworkInterface card : NetworkInterface.networkInterfaces().toList()) {
                for (InetAddress address : card.inetAddresses().toList()) {
                    if (!(address instanceof Inet6Address)) {
                        addresses.add(List.of(address.getHostAddress(), any.getLocalPort()));
                    }
                }
            }
            addresses.add(path.toString());
            addresses.add("@" + name);

            assertThat(texts(inside("connect", Map.of("addresses", addresses)).get("reached")))
                    .isEmpty();
            assertThat(texts(outside("connect", Map.of("addresses", addresses)).get("reached")))
                    .hasSize(addresses.size());
        } finally {
            listener.destroyForcibly().waitFor();
        }
        assertThat(texts(inside("own_loopback", Map.of()).get("reached")))
                .as("control: its own loopback works")
                .hasSize(1);
    }

    @Test
    void it_finds_nothing_of_the_agents_environment_descriptors_or_processes() {
        String agents = System.getenv().entrySet().stream()
                .filter(variable ->
                        variable.getValue().length() > 8 && !variable.getValue().startsWith("C."))
                .map(variable -> variable.getKey() + "=" + variable.getValue())
                .findFirst()
                .orElseThrow();

        JsonNode environment = inside("environment", Map.of("marker", agents));

        assertThat(texts(environment.get("found"))).isEmpty();
        assertThat(texts(environment.get("names")))
                .isSubsetOf("HOME", "LANG", "PATH", "PWD", "TMPDIR", "VIGIL_FD", "LC_CTYPE");
        assertThat(texts(outside("environment", Map.of("marker", MARKER)).get("found")))
                .isNotEmpty();
        assertThat(inside("descriptors", Map.of()).get("open").toString())
                .isEqualTo("{\"0\":\"pipe\",\"1\":\"pipe\",\"2\":\"pipe\",\"3\":\"socket\"}");
        assertThat(inside("processes", Map.of()).get("pids").size()).isLessThanOrEqualTo(2);
        assertThat(outside("processes", Map.of()).get("pids").size()).isGreaterThan(5);
    }

    @Test
    void a_fork_bomb_stops_at_the_limit() {
        assertThat(inside("fork", Map.of("count", 300)).get("children").asInt()).isBetween(50, 100);
        assertThat(inside("small", "fork", Map.of("count", 300)).get("children").asInt())
                .isBetween(20, PIDS);
        assertThat(outside("fork", Map.of("count", 300)).get("children").asInt())
                .isEqualTo(300);
    }

    @Test
    void memory_ends_at_the_limit_however_it_is_taken() {
        int more = 2 * MEMORY_MIB;
        for (String attack :
                List.of(order("memory", Map.of("megabytes", more)), order("memfd", Map.of("megabytes", more)))) {
            Outcome outcome = workplace.run("small", attack);

            boolean groups = workplace.runner().sandbox().limits().equals("cgroup");
            assertThat(Workplace.code(outcome)).as(attack).isEqualTo(groups ? "out_of_memory" : "exit_code");
            assertThat(outcome.processGone()).isTrue();
        }
        assertThat(inside("small", "memory", Map.of("megabytes", MEMORY_MIB / 2))
                        .get("megabytes")
                        .asInt())
                .as("control: half of the limit is to be had")
                .isEqualTo(MEMORY_MIB / 2);
        assertThat(outside("memory", Map.of("megabytes", more)).get("megabytes").asInt())
                .isEqualTo(more);
    }

    @Test
    void memory_is_limited_for_all_processes_of_a_sandbox_together() {
        assumeTrue(
                workplace.runner().sandbox().limits().equals("cgroup"),
                "without control groups this does not hold, and the worker says limits=rlimit");

        Outcome outcome = workplace.run("small", order("memory", Map.of("megabytes", 40, "processes", 5)));

        boolean somebodyDied = outcome instanceof Outcome.Failed
                || JSON.readTree(Workplace.done(outcome)).get("deaths").asInt() > 0;
        assertThat(somebodyDied).isTrue();
        assertThat(outside("memory", Map.of("megabytes", 40, "processes", 5))
                        .get("deaths")
                        .asInt())
                .isZero();
    }

    @Test
    void scratch_space_open_files_and_file_sizes_are_bounded() {
        assertThat(inside("fill", Map.of("folder", "/tmp", "megabytes", 100))
                        .get("megabytes")
                        .asInt())
                .isBetween(60, 64);
        assertThat(inside("small", "fill", Map.of("folder", "/tmp", "megabytes", 100))
                        .get("megabytes")
                        .asInt())
                .isBetween(7, 8);
        assertThat(inside("fill", Map.of("folder", "/dev/shm", "megabytes", 100))
                        .get("megabytes")
                        .asInt())
                .isBetween(14, 16);
        assertThat(outside("fill", Map.of("folder", folder.toString(), "megabytes", 100))
                        .get("megabytes")
                        .asInt())
                .isEqualTo(100);
        assertThat(inside("open_files", Map.of("count", 1000)).get("opened").asInt())
                .isBetween(200, 256);
        assertThat(outside("open_files", Map.of("count", 1000)).get("opened").asInt())
                .isEqualTo(1000);
        assertThat(texts(inside("raise_limits", Map.of()).get("raised"))).isEmpty();
    }

    @Test
    void it_is_nobody_and_cannot_become_anybody() {
        JsonNode held = inside("setuid", Map.of());

        assertThat(texts(held.get("became"))).isEmpty();
        assertThat(held.get("setuid_files_work").asBoolean()).isFalse();
        assertThat(held.get("no_new_privs").stringValue()).isEqualTo("1");
        assertThat(texts(held.get("caps"))).isEmpty();
        assertThat(texts(held.get("ids"))).containsOnly("65532");
        JsonNode control = outside("setuid", Map.of());
        assertThat(control.get("setuid_files_work").asBoolean()).isTrue();
    }

    @Test
    void it_makes_no_namespace_and_no_mount() {
        assertThat(texts(inside("namespaces", Map.of()).get("made"))).isEmpty();
        assertThat(inside("namespaces", Map.of()).get("clone3").stringValue()).isEqualTo("ENOSYS");
        assertThat(texts(outside("namespaces", Map.of()).get("made"))).contains("unshare user", "clone user");
        assertThat(texts(inside("mounts", Map.of("target", "/tmp")).get("done")))
                .isEmpty();
    }

    @Test
    void it_traces_and_reads_no_process() {
        assertThat(texts(inside("ptrace", Map.of()).get("done"))).isEmpty();
        assertThat(texts(outside("ptrace", Map.of()).get("done"))).contains("attach child");
    }

    @Test
    void it_makes_no_socket_that_a_network_namespace_does_not_hold() {
        assertThat(texts(inside("sockets", Map.of()).get("made"))).isEmpty();
        assertThat(texts(outside("sockets", Map.of()).get("made"))).contains("netlink");
    }

    @Test
    void vsock_and_io_uring_are_shut_where_the_kernel_has_them() {
        List<String> made = texts(outside("sockets", Map.of()).get("made"));
        String ring = outside("io_uring", Map.of()).get("errno").stringValue();
        assumeTrue(
                made.contains("vsock") && ring.equals("ok"),
                "this kernel has no vsock or no io_uring for its users: made " + made + ", io_uring " + ring);

        assertThat(texts(inside("sockets", Map.of()).get("made"))).isEmpty();
        assertThat(inside("io_uring", Map.of()).get("errno").stringValue()).isEqualTo("EPERM");
    }

    @Test
    void the_wide_doors_of_the_kernel_are_shut() {
        assertThat(inside("io_uring", Map.of()).get("errno").stringValue()).isEqualTo("EPERM");
        assertThat(inside("personality", Map.of()).get("errno").stringValue()).isEqualTo("EPERM");
        assertThat(outside("personality", Map.of()).get("errno").stringValue()).isEqualTo("ok");
        assertThat(inside("typing", Map.of()).get("errno").stringValue()).isEqualTo("EPERM");
        assertThat(outside("typing", Map.of()).get("errno").stringValue()).isNotEqualTo("EPERM");
    }

    @Test
    void killing_everything_kills_only_itself() {
        Outcome outcome = workplace.run("probe", order("kill_all", Map.of()));

        assertThat(outcome.processGone()).isTrue();
        assertThat(workplace.output("probe", order("processes", Map.of()))).contains("pids");
    }

    @Test
    void a_daemon_does_not_outlive_its_execution() throws Exception {
        String token = "daemon-" + UUID.randomUUID();
        Attempt attempt = workplace.start("probe", order("daemon", Map.of("token", token, "hold", 1)));
        await().until(() -> !StopTest.processesWith(": " + token + ";").isEmpty());

        Outcome outcome = outcome(attempt);

        assertThat(Workplace.done(outcome)).contains(token);
        assertThat(outcome.processGone()).isTrue();
        assertThat(StopTest.processesWith(": " + token + ";")).isEmpty();
    }
}
