package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.api.Api;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.identity.IdentityKeeper;
import dev.vigil.protocol.identity.IdentitySettings;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.SpiffeId;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.Keys;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class EnrolmentTest {
    private static final Api API = Api.shared();

    private final Api.Http admin = API.admin();
    private final TestWorker stranger = TestWorker.stranger(API);
    private final KeyPair key = Authority.newKeyPair();

    @TempDir
    private Path folder;

    @Test
    void a_worker_enrols_with_token_and_pin_and_is_known_by_its_certificate() throws Exception {
        JsonNode token = token("{\"group\":\"batch\",\"labels\":{\"site\":\"eu\"}}");
        var settings = new IdentitySettings(
                folder,
                API.context().getBean(WorkerAddress.class).url(),
                "eu-7",
                token.path("token").asString(),
                token.path("ca_pin").asString());

        try (var keeper = IdentityKeeper.open(settings, Clock.systemUTC())) {
            assertThat(keeper.current().id().kind()).isEqualTo(SpiffeId.WORKER);
            assertThat(keeper.clientTls(Peers.service("api"))).isNotNull();
            String id = workerId(keeper.current().certificate());
            JsonNode worker = admin.get("/api/v1/workers/" + id).expect(200);
            assertThat(worker.path("name").asString()).isEqualTo("eu-7");
            assertThat(worker.path("group").asString()).isEqualTo("batch");
            assertThat(worker.path("labels").path("site").asString()).isEqualTo("eu");
            assertThat(worker.path("state").asString()).isEqualTo("offline");
            assertThat(events("\"action\":\"enrol\"", id)).hasSize(1);
        }
    }

    @Test
    void the_join_command_names_everything_that_a_worker_needs() {
        JsonNode token = token("{\"group\":\"batch\"}");

        assertThat(token.path("id").asString()).startsWith("jtk_");
        assertThat(token.path("join_command").asString())
                .isEqualTo("vigil worker join --url https://localhost:"
                        + API.context().getBean(WorkerAddress.class).url().getPort() + " --token "
                        + token.path("token").asString() + " --ca-pin "
                        + token.path("ca_pin").asString());
        assertThat(admin.get("/api/v1/workers/join-tokens").text())
                .contains(token.path("id").asString())
                .doesNotContain(token.path("token").asString());
    }

    @Test
    void what_the_request_asks_for_beside_its_key_is_ignored() {
        X509Certificate leaf =
                TestWorker.chain(enrolled(token("{\"group\":\"batch\"}"))).getFirst();

        assertThat(leaf.getBasicConstraints()).isEqualTo(-1);
        assertThat(leaf.getSubjectX500Principal().getName()).doesNotContain("admin");
        assertThat(names(leaf)).singleElement().asString().startsWith("spiffe://vigil.local/worker/");
        assertThat(extendedKeyUsage(leaf)).containsExactly("1.3.6.1.5.5.7.3.2");
        assertThat(Duration.between(
                        leaf.getNotBefore().toInstant(), leaf.getNotAfter().toInstant()))
                .isBetween(Duration.ofHours(24), Duration.ofHours(24).plusMinutes(2));
    }

    @Test
    void a_service_gets_its_hosts_and_may_serve() {
        X509Certificate leaf = TestWorker.chain(
                        enrolled(token("{\"group\":\"service:core\",\"hosts\":[\"core-1\",\"10.0.0.7\"]}")))
                .getFirst();

        assertThat(names(leaf)).containsExactly("spiffe://vigil.local/service/core", "core-1", "10.0.0.7");
        assertThat(extendedKeyUsage(leaf)).containsExactly("1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1");
        assertThat(admin.get("/api/v1/workers").text()).doesNotContain("service:core");
    }

    @Test
    void a_token_that_was_used_is_refused_and_is_an_event() {
        JsonNode token = token("{\"group\":\"batch\"}");
        enrolled(token);
        int before = events("join_token_used").size();

        Api.Reply again = stranger.enrol(token.path("token").asString(), Authority.newKeyPair());

        assertThat(again.status()).isEqualTo(409);
        assertThat(again.code()).isEqualTo("join_token_used");
        assertThat(events("join_token_used")).hasSize(before + 1);
    }

    @Test
    void of_a_hundred_that_redeem_at_once_one_is_admitted() throws Exception {
        String token = token("{\"group\":\"batch\"}").path("token").asString();
        int before = events("join_token_used").size();
        List<KeyPair> keys = Stream.generate(Authority::newKeyPair).limit(100).toList();

        List<Integer> answers;
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            answers = threads
                    .invokeAll(keys.stream()
                            .map(each -> (Callable<Integer>)
                                    () -> stranger.enrol(token, each).status())
                            .toList())
                    .stream()
                    .map(Future::resultNow)
                    .toList();
        }

        assertThat(answers).filteredOn(status -> status == 201).hasSize(1);
        assertThat(answers).filteredOn(status -> status == 409).hasSize(99);
        assertThat(events("join_token_used")).hasSize(before + 99);
    }

    @Test
    void a_token_for_several_admits_as_many() {
        String token = token("{\"group\":\"batch\",\"uses\":2}").path("token").asString();

        List<Integer> answers = IntStream.range(0, 3)
                .mapToObj(_ -> stranger.enrol(token, Authority.newKeyPair()).status())
                .toList();

        assertThat(answers).containsExactly(201, 201, 409);
    }

    @Test
    void a_token_that_ended_is_refused_and_is_an_event() {
        String token =
                token("{\"group\":\"batch\",\"ttl\":\"PT1S\"}").path("token").asString();
        int before = events("join_token_expired", "\"action\":\"enrol\"").size();

        await().atMost(Duration.ofSeconds(5))
                .until(() -> stranger.enrol(token + "x", key).status() == 401
                        && admin.get("/api/v1/workers/join-tokens")
                                .json()
                                .path("items")
                                .valueStream()
                                .findFirst()
                                .orElseThrow()
                                .path("state")
                                .asString()
                                .equals("expired"));
        Api.Reply late = stranger.enrol(token, key);

        assertThat(late.status()).isEqualTo(401);
        assertThat(late.code()).isEqualTo("join_token_expired");
        assertThat(events("join_token_expired", "\"action\":\"enrol\"")).hasSize(before + 1);
    }

    @Test
    void a_token_that_is_foreign_changed_unsigned_or_revoked_is_refused() {
        JsonNode revoked = token("{\"group\":\"batch\"}");
        String token = revoked.path("token").asString();
        String[] parts = token.split("\\.", -1);
        String service = Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8)
                        .replace("batch", "service:gdpr")
                        .getBytes(StandardCharsets.UTF_8));
        String none = Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString("{\"alg\":\"none\"}".getBytes(StandardCharsets.UTF_8));
        String foreign = Jwts.builder()
                .id(revoked.path("id").asString())
                .issuer("vigil")
                .audience()
                .add("enrol")
                .and()
                .expiration(Date.from(Instant.now().plusSeconds(60)))
                .claim("grp", "batch")
                .signWith(Keys.hmacShaKeyFor(SealedBytes.newKey()))
                .compact();
        admin.call("DELETE", "/api/v1/workers/join-tokens/" + revoked.path("id").asString(), null)
                .expect(204);

        List<String> codes = Stream.of(
                        token, parts[0] + "." + service + "." + parts[2], none + "." + parts[1] + ".", foreign, "x")
                .map(each -> stranger.enrol(each, key).code())
                .toList();

        assertThat(codes).containsOnly("join_token_invalid").hasSize(5);
    }

    @Test
    void a_token_for_one_network_does_not_work_from_another() {
        String elsewhere = token("{\"group\":\"batch\",\"cidr\":\"10.0.0.0/8\"}")
                .path("token")
                .asString();
        String here = token("{\"group\":\"batch\",\"cidr\":\"127.0.0.0/8\"}")
                .path("token")
                .asString();

        assertThat(stranger.enrol(elsewhere, key).code()).isEqualTo("join_token_invalid");
        assertThat(stranger.enrol(here, key).status()).isEqualTo(201);
    }

    @Test
    void weak_keys_and_requests_signed_by_another_key_are_refused() throws Exception {
        String token = token("{\"group\":\"batch\"}").path("token").asString();
        var rsa = KeyPairGenerator.getInstance("RSA");
        rsa.initialize(1024);
        var curve = KeyPairGenerator.getInstance("EC");
        curve.initialize(new ECGenParameterSpec("secp521r1"));
        List<String> requests = List.of(
                TestWorker.csr(rsa.generateKeyPair(), rsa.generateKeyPair()),
                TestWorker.csr(curve.generateKeyPair(), curve.generateKeyPair()),
                TestWorker.csr(key, Authority.newKeyPair()),
                "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
                "nothing");

        List<Integer> answers = requests.stream()
                .map(csr -> stranger.enrol(token, csr).status())
                .toList();

        assertThat(answers).containsOnly(400);
        assertThat(stranger.enrol(token, "A".repeat(70_000)).status()).isEqualTo(413);
        assertThat(stranger.enrol(token, key).status())
                .as("none of them used the token up")
                .isEqualTo(201);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"group\":\"Batch\"}",
                "{\"group\":\"service:api\"}",
                "{\"group\":\"batch\",\"ttl\":\"P2D\"}",
                "{\"group\":\"batch\",\"uses\":0}",
                "{\"group\":\"batch\",\"cidr\":\"10.0.0.0/33\"}",
                "{\"group\":\"batch\",\"hosts\":[\"a\"]}",
                "{\"group\":\"service:core\",\"hosts\":[\"a b\"]}",
                "{}"
            })
    void an_impossible_invitation_is_refused(String body) {
        assertThat(admin.post("/api/v1/workers/join-tokens", body).status()).isEqualTo(422);
    }

    @Test
    void only_admins_invite() {
        assertThat(API.client()
                        .post("/api/v1/workers/join-tokens", "{\"group\":\"batch\"}")
                        .status())
                .isEqualTo(403);
        assertThat(API.anonymous()
                        .post("/api/v1/workers/join-tokens", "{\"group\":\"batch\"}")
                        .status())
                .isEqualTo(401);
    }

    @Test
    void a_join_token_that_sql_set_back_or_wrote_admits_nobody_and_is_an_event() {
        JsonNode used = token("{\"group\":\"batch\"}");
        enrolled(used);
        JsonNode forged = token("{\"group\":\"batch\"}");
        Meddler.run(API.database(), "UPDATE vault.join_token SET uses = 0" + where(used));
        Meddler.run(API.database(), "UPDATE vault.join_token SET uses_max = 1000, mac = NULL" + where(forged));

        for (JsonNode token : List.of(used, forged)) {
            Api.Reply refused = stranger.enrol(token.path("token").asString(), Authority.newKeyPair());
            assertThat(refused.code()).isEqualTo("join_token_invalid");
            assertThat(events("row_seal_broken", token.path("id").asString())).hasSize(1);
        }
    }

    private static String where(JsonNode token) {
        UUID id = Id.parse(Kind.JOIN_TOKEN, token.path("id").asString())
                .orElseThrow()
                .uuid();
        return " WHERE id = '" + id + "'";
    }

    private JsonNode token(String body) {
        return admin.post("/api/v1/workers/join-tokens", body).expect(201);
    }

    private Api.Reply enrolled(JsonNode token) {
        Api.Reply reply = stranger.enrol(token.path("token").asString(), key);
        assertThat(reply.status()).as(reply.text()).isEqualTo(201);
        return reply;
    }

    private static String workerId(X509Certificate leaf) {
        return PeerCertificate.of(leaf, "vigil.local")
                .map(shown -> new Id(Kind.WORKER, shown.row()).toString())
                .orElseThrow();
    }

    private static List<String> names(X509Certificate leaf) {
        try {
            return Objects.requireNonNull(leaf.getSubjectAlternativeNames()).stream()
                    .map(name -> String.valueOf(name.get(1)))
                    .toList();
        } catch (CertificateParsingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> extendedKeyUsage(X509Certificate leaf) {
        try {
            return leaf.getExtendedKeyUsage();
        } catch (CertificateParsingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> events(String... parts) {
        return Outboxes.events(API.database()).stream()
                .filter(event -> Stream.of(parts).allMatch(event::contains))
                .toList();
    }
}
