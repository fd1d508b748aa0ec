package dev.vigil.protocol.link;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.protocol.payload.Purpose;
import dev.vigil.protocol.payload.SealContext;
import dev.vigil.protocol.payload.TaskKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// The page for authors of workers in other languages: its worked example is computed here, its tables are compared.
class WorkerProtocolPageTest {
    private static final Path PAGE = Path.of("..", "docs", "reference", "worker-protocol.md");
    private static final HexFormat HEX = HexFormat.of();

    @Test
    void the_worked_example_is_what_this_code_computes() throws Exception {
        Map<String, String> vectors = vectors();
        Map<String, String> page = new LinkedHashMap<>();
        Matcher line = Pattern.compile("(?m)^([a-z_]+) = ([0-9a-f]+)$").matcher(Files.readString(PAGE));
        while (line.find()) {
            page.put(line.group(1), line.group(2));
        }

        assertThat(page).containsExactlyEntriesOf(vectors);
    }

    @Test
    void the_sealed_record_of_the_example_opens_under_the_task_key_of_the_example() throws Exception {
        Map<String, String> vectors = vectors();
        var key = TaskKey.of(HEX.parseHex(vectors.get("task_key")));
        var place = new SealContext(Purpose.PAYLOAD, 1, task(), 1, "demo.echo", keyId());

        assertThat(key.open(place, HEX.parseHex(vectors.get("sealed_payload"))))
                .isEqualTo("{\"n\":1}".getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void the_page_names_every_frame_type_with_its_number() throws IOException {
        String page = Files.readString(PAGE);
        for (FrameType type : FrameType.values()) {
            assertThat(page).contains("| " + type.code() + " | " + type.name() + " |");
        }
    }

    private static UUID task() {
        return UUID.fromString("019a0000-0000-7000-8000-0000000000aa");
    }

    private static UUID keyId() {
        return UUID.fromString("019a0000-0000-7000-8000-0000000000bb");
    }

    private static Map<String, String> vectors() throws FrameException {
        var certificateHash = SealedChannelTest.random(0xcc);
        var secret = new byte[32];
        for (int i = 0; i < secret.length; i++) {
            secret[i] = (byte) i;
        }
        var terms = new SessionTerms(
                UUID.fromString("019a0000-0000-7000-8000-000000000001"),
                UUID.fromString("019a0000-0000-7000-8000-000000000002"),
                UUID.fromString("019a0000-0000-7000-8000-000000000003"),
                0x0123456789abcdefL,
                "tls",
                certificateHash);
        byte[] hello = Handshake.hello(terms, secret, SealedChannelTest.random(0x11));
        var coreEnd = new Handshake.CoreEnd(SealedChannelTest.random(0x22), NonceWitness.NONE);
        Handshake.Accepted core = Handshake.accept(terms, secret, hello, coreEnd);
        SealedChannel worker = Handshake.finish(
                        terms, secret, hello, new Handshake.WorkerEnd(core.welcome(), NonceWitness.NONE))
                .channel();
        byte[] randoms = new byte[64];
        System.arraycopy(SealedChannelTest.random(0x11), 0, randoms, 0, 32);
        System.arraycopy(SealedChannelTest.random(0x22), 0, randoms, 32, 32);
        var hash = new HeartbeatHash(core.transcript());
        byte[] unsigned = Bodies.heartbeat(1, List.of());
        hash.add(unsigned);

        var vectors = new LinkedHashMap<String, byte[]>();
        vectors.put("info_hello", terms.info("hello"));
        vectors.put("hello", hello);
        vectors.put("welcome", core.welcome());
        vectors.put(
                "key_worker_to_core",
                LinkSecrets.derive(secret, randoms, terms.info("worker->core")).getEncoded());
        vectors.put(
                "key_core_to_worker",
                LinkSecrets.derive(secret, randoms, terms.info("core->worker")).getEncoded());
        vectors.put("ready_body", Bodies.ready(4, List.of()).bytes());
        vectors.put("ready_frame", worker.seal(FrameType.READY, Bodies.ready(4, List.of()), 8));
        vectors.put("heartbeat_unsigned", unsigned);
        vectors.put("heartbeat_statement", hash.statement());
        var dispatch = new DispatchRecord(
                UUID.fromString("019a0000-0000-7000-8000-0000000000ee"),
                task(),
                1,
                1,
                keyId(),
                "demo.echo",
                4294967297L,
                1,
                60_000,
                1_800_000_000_000L,
                HEX.parseHex(SEALED_PAYLOAD));
        Body dispatched = Bodies.dispatches(1, List.of(dispatch)).getFirst().body();
        vectors.put("dispatch_body", dispatched.bytes());
        vectors.put("dispatch_frame", core.channel().seal(FrameType.DISPATCH, dispatched, 8));
        vectors.put("task_key", SealedChannelTest.random(0x77));
        vectors.put("sealed_payload", HEX.parseHex(SEALED_PAYLOAD));
        var text = new LinkedHashMap<String, String>();
        new ArrayList<>(vectors.keySet()).forEach(name -> text.put(name, HEX.formatHex(vectors.get(name))));
        return text;
    }

    /// Sealed once with a random nonce: `{"n":1}` under the task key and place of the example.
    private static final String SEALED_PAYLOAD =
            "0101019a00000000700080000000000000bb0ce8508f1689cde30d40e18233e9aba15cb1ed8405e368e156039201b9ba900c5fd4c4";
}
