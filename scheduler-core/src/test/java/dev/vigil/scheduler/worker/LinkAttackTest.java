package dev.vigil.scheduler.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vigil.protocol.identity.Identity;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.TestAuthority;
import dev.vigil.protocol.identity.TlsContexts;
import dev.vigil.protocol.link.Bodies;
import dev.vigil.protocol.link.FrameHeader;
import dev.vigil.protocol.link.FrameType;
import dev.vigil.protocol.link.NonceWitness;
import dev.vigil.protocol.link.SealedChannel;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a peer can try that holds a good certificate, a bad one, or none. Beside each attack an honest worker stays
/// connected and is asked afterwards whether it still works.
class LinkAttackTest {
    private final TestAuthority authority = new TestAuthority();
    private TestCore core;
    private TestWorker honest;
    private TestWorker attacker;

    @BeforeEach
    void start() throws Exception {
        core = new TestCore(authority);
        honest = TestWorker.of(authority).join(core.sessions());
        attacker = TestWorker.of(authority);
        await().until(() -> core.engine.joined.contains(honest.workerBoot()));
    }

    @AfterEach
    void stop() throws IOException {
        attacker.close();
        honest.close();
        core.close();
    }

    private void assertHonestWorkerStillWorks() throws Exception {
        honest.beat(List.of());
        assertThat(honest.receive(FrameType.HEARTBEAT)).isNotNull();
        Dispatch dispatch = TestCore.newDispatch(new byte[10]);
        core.dispatchTo(honest.workerBoot(), dispatch);
        assertThat(Bodies.readDispatches(honest.receive(FrameType.DISPATCH))
                        .records()
                        .getFirst()
                        .execution())
                .isEqualTo(dispatch.execution());
        assertThat(core.link.ready()).isTrue();
    }

    private void assertCut() throws Exception {
        assertThat(attacker.cut()).isTrue();
        assertHonestWorkerStillWorks();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 7, 8, 15, 16, 23, 24, 31, 32, 33, 34, 36, 39, 40, 60, -16, -1})
    void a_frame_with_one_changed_byte_is_refused(int offset) throws Exception {
        attacker.join(core.sessions());
        byte[] frame =
                attacker.seal(FrameType.HEARTBEAT, Bodies.heartbeat(Bodies.heartbeat(2, List.of()), new byte[70]));
        frame[offset < 0 ? frame.length + offset : offset] ^= 1;

        attacker.write(frame);

        assertCut();
    }

    @Test
    void a_replayed_frame_is_refused() throws Exception {
        attacker.join(core.sessions());
        byte[] frame = attacker.seal(FrameType.READY, Bodies.ready(4, List.of()));
        attacker.write(frame);
        attacker.write(frame);

        assertCut();
    }

    @Test
    void reordered_frames_are_refused() throws Exception {
        attacker.join(core.sessions());
        byte[] first = attacker.seal(FrameType.READY, Bodies.ready(4, List.of()));
        byte[] second = attacker.seal(FrameType.READY, Bodies.ready(4, List.of()));
        attacker.write(second);
        attacker.write(first);

        assertCut();
    }

    @Test
    void a_frame_after_a_lost_one_is_refused() throws Exception {
        attacker.join(core.sessions());
        attacker.seal(FrameType.READY, Bodies.ready(4, List.of()));
        attacker.send(FrameType.READY, Bodies.ready(4, List.of()));

        assertCut();
    }

    @Test
    void a_frame_of_another_worker_is_refused() throws Exception {
        attacker.join(core.sessions());
        var victim = TestWorker.of(authority);
        try (victim) {
            victim.join(core.sessions());
            attacker.write(victim.seal(FrameType.READY, Bodies.ready(4, List.of())));

            assertCut();
            victim.channel.open(victim.read());
        }
    }

    @Test
    void a_frame_of_an_earlier_connection_is_refused() throws Exception {
        attacker.join(core.sessions());
        byte[] old = attacker.seal(FrameType.READY, Bodies.ready(4, List.of()));
        attacker.close();
        attacker.connect();
        attacker.greet();

        attacker.write(old);

        assertCut();
    }

    @Test
    void a_recorded_hello_opens_nothing_and_disturbs_nobody() throws Exception {
        var second = new TestWorker(authority, honest.identity, honest.boot);
        try (second) {
            second.terms = honest.terms;
            second.endpoint = honest.endpoint;
            second.connect();
            second.write(honest.hello);
            byte[] welcome = second.read();

            assertThat(FrameHeader.read(welcome).type()).isEqualTo(FrameType.WELCOME);
            assertHonestWorkerStillWorks();
            second.write(new byte[80]);
            assertThat(second.cut()).isTrue();
        }
        assertHonestWorkerStillWorks();
    }

    @Test
    void a_frame_that_is_not_sealed_is_refused() throws Exception {
        attacker.join(core.sessions());
        attacker.write(attacker.hello);

        assertCut();
    }

    @Test
    void a_stolen_session_is_worth_nothing_without_its_certificate() throws Exception {
        attacker.openSession(core.sessions());
        attacker.terms = honest.terms;
        attacker.secret = honest.secret;
        attacker.connect();

        assertThatThrownBy(attacker::greet).isInstanceOf(IOException.class);
        assertCut();
    }

    @Test
    void a_worker_without_a_session_is_cut_before_it_can_say_a_word_of_zmtp() throws Exception {
        attacker.endpoint = honest.endpoint;

        assertThatThrownBy(attacker::connect).isInstanceOf(IOException.class);
        assertHonestWorkerStillWorks();
    }

    @Test
    void without_a_certificate_there_is_no_tls() throws Exception {
        SSLContext anonymous = trustAll();

        assertThatThrownBy(() -> speak(anonymous)).isInstanceOf(IOException.class);
        assertHonestWorkerStillWorks();
    }

    @Test
    void a_certificate_of_another_ca_an_ended_one_and_a_services_are_refused() throws Exception {
        var other = new TestAuthority();
        Identity foreign = TestWorker.worker(other, honest.id());
        Identity ended = authority.issue("spiffe://vigil.local/worker/" + honest.id(), Duration.ofSeconds(-5));
        Identity elsewhere = authority.issue("spiffe://other.local/worker/" + honest.id(), Duration.ofHours(1));

        for (SSLContext context : List.of(
                other.tls(foreign, Peers.everybody()),
                authority.tls(ended, Peers.everybody()),
                authority.tls(elsewhere, Peers.everybody()),
                authority.tls(authority.service("gdpr"), Peers.everybody()))) {
            assertThatThrownBy(() -> speak(context)).isInstanceOf(IOException.class);
        }
        assertThatThrownBy(() -> new TestWorker(authority, ended, UUID.randomUUID()).askSession(core.sessions()))
                .isInstanceOf(IOException.class);
        assertHonestWorkerStillWorks();
    }

    @Test
    void a_worker_may_not_send_hints_and_a_service_may() throws Exception {
        var gdpr = new TestWorker(authority, authority.service("gdpr"), UUID.randomUUID());
        String body =
                "{\"shards\":[3],\"created\":[{\"shard\":5,\"lanes\":131072,\"schedules\":true,\"due\":\"2026-01-01T00:00:00Z\"},"
                        + "{\"shard\":6,\"lanes\":1}],\"workers\":[]}";

        assertThat(attacker.post(core.sessions().resolve("/internal/v1/hints"), body)
                        .statusCode())
                .isEqualTo(403);
        assertThat(core.engine.hinted).isEmpty();
        assertThat(gdpr.post(core.sessions().resolve("/internal/v1/hints"), body)
                        .statusCode())
                .isEqualTo(204);
        assertThat(core.engine.hinted)
                .containsExactly(
                        ShardHint.command(3),
                        new ShardHint(5, 1 << 17, Instant.parse("2026-01-01T00:00:00Z"), true, false));
    }

    @Test
    void zmtp_that_is_not_ours_never_reaches_the_router() throws Exception {
        byte[] greeting = TestWorker.greeting();
        byte[] curve = greeting.clone();
        System.arraycopy("CURVE".getBytes(java.nio.charset.StandardCharsets.US_ASCII), 0, curve, 12, 5);
        byte[] version2 = new byte[64];
        version2[0] = (byte) 0xff;
        version2[9] = 0x7f;
        version2[10] = 1;
        byte[] good = TestWorker.ready("Socket-Type", "DEALER", "Identity", "");
        List<byte[]> attacks = List.of(
                curve,
                version2,
                new byte[64],
                concat(greeting, TestWorker.ready("Socket-Type", "DEALER", "Identity", "w-victim")),
                concat(greeting, TestWorker.ready("Socket-Type", "DEALER", "Peer-Address", "127.0.0.1:1")),
                concat(greeting, TestWorker.ready("Socket-Type", "ROUTER", "Identity", "")),
                concat(greeting, TestWorker.ready("Socket-Type", "DEALER", "X", "x".repeat(1_000))),
                concat(greeting, message(2, 0x7fff_ffffL)),
                concat(greeting, good, message(2, 0x7fff_ffffL)),
                concat(greeting, good, message(2, -1L)),
                concat(greeting, good, message(2, FrameHeader.FRAME_BYTES_MAX + 1L)),
                concat(greeting, good, message(1, 40)),
                concat(greeting, good, new byte[] {4, 5, 4, 'P', 'I', 'N', 'G'}),
                concat(greeting, good, new byte[] {0, 3, 1, 2, 3}));
        attacker.openSession(core.sessions());
        for (byte[] attack : attacks) {
            attacker.connectTls();
            attacker.out.write(attack);
            attacker.out.flush();
            assertThat(attacker.cut()).as("attack %d", attacks.indexOf(attack)).isTrue();
        }
        assertHonestWorkerStillWorks();
    }

    @Test
    void a_frame_of_the_greatest_length_passes_and_one_byte_more_does_not() throws Exception {
        attacker.join(core.sessions());
        byte[] frame = attacker.seal(
                FrameType.RESULT, new dev.vigil.protocol.link.Body(1, new byte[SealedChannel.BODY_BYTES_MAX]));
        assertThat(frame).hasSize(FrameHeader.FRAME_BYTES_MAX);
        assertThatThrownBy(() -> attacker.seal(
                        FrameType.RESULT,
                        new dev.vigil.protocol.link.Body(1, new byte[SealedChannel.BODY_BYTES_MAX + 1])))
                .isInstanceOf(IllegalArgumentException.class);

        // It passes the gate and is opened; its content is nonsense, so the connection is cut for that.
        attacker.write(frame);

        assertCut();
    }

    @Test
    void a_peer_that_dawdles_is_cut_wherever_it_stops() throws Exception {
        var tcpOnly = new Socket(InetAddress.getLoopbackAddress(), core.link.linkPort());
        attacker.openSession(core.sessions());
        attacker.connectTls();
        attacker.out.write(TestWorker.greeting());
        attacker.out.flush();
        var readyOnly = new TestWorker(authority, attacker.identity, attacker.boot);
        try (tcpOnly;
                readyOnly) {
            readyOnly.endpoint = attacker.endpoint;
            readyOnly.connect();

            var allCut = CompletableFuture.supplyAsync(() -> readyOnly.cut() && attacker.cut() && ended(tcpOnly));
            await().pollInterval(Duration.ofMillis(500))
                    .atMost(Duration.ofSeconds(15))
                    .until(() -> {
                        honest.beat(List.of());
                        return allCut.isDone();
                    });
            assertThat(allCut.join()).isTrue();
        }
        assertHonestWorkerStillWorks();
    }

    private static boolean ended(Socket socket) {
        try {
            socket.setSoTimeout(8_000);
            return socket.getInputStream().read() < 0;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void a_process_of_this_machine_that_finds_the_router_is_cut() throws Exception {
        try (var stranger = new Socket(InetAddress.getLoopbackAddress(), core.link.routerPort())) {
            stranger.setSoTimeout(3_000);
            stranger.getOutputStream().write(TestWorker.greeting());
            stranger.getOutputStream().write(TestWorker.ready("Socket-Type", "DEALER", "Identity", ""));

            int read = 0;
            while (read >= 0) {
                read = stranger.getInputStream().read(new byte[256]);
            }
        } catch (java.net.SocketException e) {
            // Cut while it wrote or read: "reset" or "broken pipe", as good an end as any; silence would be a time-out.
            assertThat(e.getMessage()).containsAnyOf("reset", "Broken pipe");
        }
        assertHonestWorkerStillWorks();
    }

    @Test
    void one_address_cannot_take_all_connections() throws Exception {
        var few = new WorkerLinkSettings("127.0.0.1", "", 0, 0, 100, 3, Duration.ofHours(1));
        var sockets = new java.util.ArrayList<Socket>();
        try (var small = new TestCore(authority, few, NonceWitness.NONE)) {
            for (int i = 0; i < 4; i++) {
                sockets.add(new Socket(InetAddress.getLoopbackAddress(), small.link.linkPort()));
            }
            sockets.get(3).setSoTimeout(3_000);

            assertThat(sockets.get(3).getInputStream().read()).isEqualTo(-1);
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void a_session_ends_with_its_life_and_the_connection_with_it() throws Exception {
        var brief = new WorkerLinkSettings("127.0.0.1", "", 0, 0, 100, 100, Duration.ofSeconds(2));
        try (var small = new TestCore(authority, brief, NonceWitness.NONE)) {
            attacker.join(small.sessions());
            await().pollInterval(Duration.ofMillis(500))
                    .atMost(Duration.ofSeconds(6))
                    .until(() -> {
                        try {
                            attacker.beat(List.of());
                            return false;
                        } catch (IOException e) {
                            return true;
                        }
                    });
            assertThatThrownBy(attacker::connect).isInstanceOf(IOException.class);
        }
    }

    private void speak(SSLContext context) throws IOException {
        try (var raw = new Socket(InetAddress.getLoopbackAddress(), core.link.linkPort())) {
            raw.setSoTimeout(5_000);
            var secure = (SSLSocket) context.getSocketFactory().createSocket(raw, "core", raw.getPort(), true);
            secure.setSSLParameters(TlsContexts.parameters());
            secure.startHandshake();
            // TLS 1.3 tells the client of a refused certificate only after its own handshake is done.
            if (secure.getInputStream().read() < 0) {
                throw new SSLException("the core closed the connection");
            }
        }
    }

    private static SSLContext trustAll() throws GeneralSecurityException {
        var context = SSLContext.getInstance("TLSv1.3");
        context.init(null, new TrustManager[] {new TrustingManager()}, null);
        return context;
    }

    private static byte[] message(int flags, long length) {
        return flags == 2
                ? ByteBuffer.allocate(9).put((byte) flags).putLong(length).array()
                : new byte[] {(byte) flags, (byte) length};
    }

    private static byte[] concat(byte[]... parts) {
        var out = new java.io.ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
