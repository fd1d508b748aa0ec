package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vigil.api.Api;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.RouteTable;
import dev.vigil.protocol.identity.SpiffeId;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Who gets in at the worker port.
class WorkerPortTest {
    private static final Api API = Api.shared();

    private final Api.Http admin = API.admin();
    private final KeyPair key = Authority.newKeyPair();
    private Api.Reply admitted;
    private TestWorker worker;

    @BeforeEach
    void an_enrolled_worker() {
        admitted = TestWorker.stranger(API).enrol(joinToken("batch"), key);
        worker = TestWorker.of(API, key, admitted);
    }

    @Test
    void an_enrolled_worker_is_let_in_a_stranger_is_not() {
        assertThat(worker.cores().status()).isEqualTo(200);
        assertThat(worker.cores().header("Strict-Transport-Security")).startsWith("max-age=31536000");
        assertThat(TestWorker.stranger(API).cores().code()).isEqualTo("certificate_required");
    }

    @Test
    void the_public_port_has_no_worker_routes_and_the_worker_port_no_public_ones() {
        assertThat(admin.get("/worker/v1/cores").status()).isEqualTo(404);
        assertThat(worker.get("/api/v1/workers").status()).isEqualTo(404);
        assertThat(worker.get("/internal/v1/nothing").status()).isEqualTo(404);
    }

    @Test
    void no_route_of_the_public_port_answers_on_the_worker_port_the_oauth_endpoints_included() {
        List<Route> routes = API.context().getBean(RouteTable.class).routes().stream()
                .filter(route -> !route.template().startsWith("/worker/")
                        && !route.template().startsWith("/internal/"))
                .toList();

        assertThat(routes)
                .extracting(route -> route.method() + " " + route.template())
                .contains(
                        "POST /oauth2/token",
                        "POST /oauth2/introspect",
                        "POST /oauth2/revoke",
                        "GET /oauth2/jwks",
                        "GET /oauth2/standing",
                        "GET /oauth2/authorize",
                        "GET /.well-known/openid-configuration",
                        "POST /api/auth/login");
        assertThat(routes).allSatisfy(route -> {
            String path = route.template().replaceAll("\\{[^}]*}", "x");
            assertThat(worker.exchange(route.method(), path, new byte[0]).statusCode())
                    .as("%s %s", route.method(), path)
                    .isEqualTo(404);
        });
        assertThat(TestWorker.stranger(API).get("/oauth2/jwks").code()).isEqualTo("certificate_required");
    }

    @Test
    void the_keys_of_tokens_are_told_to_who_has_a_certificate() {
        assertThat(worker.get("/internal/v1/jwks").json())
                .isEqualTo(admin.get("/oauth2/jwks").json());
        assertThat(TestWorker.stranger(API).get("/internal/v1/jwks").code()).isEqualTo("certificate_required");
    }

    @Test
    void whether_a_token_stands_is_told_to_who_has_a_certificate_and_the_token() {
        assertThat(worker.get("/internal/v1/standing").code()).isEqualTo("unauthenticated");
        assertThat(worker.standing(admin.token()).expect(200).path("role").asString())
                .isEqualTo("admin");
        assertThat(TestWorker.stranger(API).standing(admin.token()).code()).isEqualTo("certificate_required");
    }

    @Test
    void a_certificate_of_another_ca_is_refused_in_the_handshake() throws Exception {
        KeyPair other = Authority.newKeyPair();
        var foreign = new JcaX509v3CertificateBuilder(
                        X500Name.getInstance(TestWorker.chain(admitted)
                                .getLast()
                                .getSubjectX500Principal()
                                .getEncoded()),
                        BigInteger.TEN,
                        Date.from(Instant.now().minusSeconds(60)),
                        Date.from(Instant.now().plusSeconds(600)),
                        new X500Name("CN=" + id()),
                        other.getPublic())
                .build(new JcaContentSignerBuilder("SHA256withECDSA").build(other.getPrivate()));
        X509Certificate certificate = Authority.certificate(foreign.getEncoded());

        assertThatThrownBy(() -> new TestWorker(API, other, List.of(certificate)).cores())
                .isInstanceOf(UncheckedIOException.class);
    }

    @Test
    void a_certificate_that_ended_is_refused_on_the_open_connection_and_in_the_handshake() {
        WorkerRow row = row();
        Authority authority = API.context().getBean(Authority.class);
        Authority.Issued brief = authority.issue(row.subject("vigil.local", 1), key.getPublic(), Duration.ofSeconds(2));
        List<X509Certificate> chain = List.of(brief.leaf(), brief.authority());
        var connected = new TestWorker(API, key, chain);
        assertThat(connected.cores().status()).isEqualTo(200);

        await().atMost(Duration.ofSeconds(6))
                .until(() -> connected.cores().code().equals("certificate_refused"));
        assertThatThrownBy(() -> new TestWorker(API, key, chain).cores()).isInstanceOf(UncheckedIOException.class);
    }

    @Test
    void a_certificate_for_something_else_is_refused() {
        Authority authority = API.context().getBean(Authority.class);
        WorkerRow row = row();
        var service = new SpiffeId("vigil.local", SpiffeId.SERVICE, "gdpr");
        var elsewhere = new SpiffeId("other.example", SpiffeId.WORKER, row.id().toString());

        Stream<String> codes = Stream.of(
                        new Authority.Subject(row.publicId(), 1, service, List.of()),
                        new Authority.Subject(row.publicId(), 1, elsewhere, List.of()),
                        new Authority.Subject(row.publicId(), 7, row.spiffeId("vigil.local"), List.of()),
                        new Authority.Subject("api", 1, service, List.of()))
                .map(subject -> authority.issue(subject, key.getPublic(), Duration.ofMinutes(1)))
                .map(issued -> new TestWorker(API, key, List.of(issued.leaf(), issued.authority()))
                        .cores()
                        .code());

        assertThat(codes).containsOnly("certificate_refused").hasSize(4);
    }

    @Test
    void a_renewal_brings_the_next_generation_and_the_one_before_works_until_it_ends() {
        KeyPair next = Authority.newKeyPair();

        Api.Reply renewed = worker.renew(next);

        assertThat(renewed.status()).as(renewed.text()).isEqualTo(200);
        assertThat(renewed.json().path("generation").asInt()).isEqualTo(2);
        assertThat(TestWorker.of(API, next, renewed).cores().status()).isEqualTo(200);
        assertThat(worker.cores().status()).isEqualTo(200);

        TestWorker.of(API, next, renewed).renew(Authority.newKeyPair());
        assertThat(worker.cores().code()).as("two generations back").isEqualTo("certificate_refused");
    }

    @Test
    void after_a_lost_reply_the_same_key_gets_the_same_certificate() {
        KeyPair next = Authority.newKeyPair();
        Api.Reply lost = worker.renew(next);

        Api.Reply again = worker.renew(next);

        assertThat(again.status()).isEqualTo(200);
        assertThat(again.json()).isEqualTo(lost.json());
    }

    @Test
    void an_older_certificate_renewed_with_another_key_locks_the_worker() {
        KeyPair own = Authority.newKeyPair();
        Api.Reply renewed = worker.renew(own);

        Api.Reply thief = worker.renew(Authority.newKeyPair());

        assertThat(thief.code()).isEqualTo("certificate_refused");
        assertThat(TestWorker.of(API, own, renewed).cores().code()).isEqualTo("certificate_refused");
        assertThat(admin.get("/api/v1/workers/" + id()).json().path("state").asString())
                .isEqualTo("blocked");
        assertThat(Outboxes.events(API.database()))
                .anyMatch(event -> event.contains("clone_seen") && event.contains(id()));
    }

    @Test
    void a_blocked_worker_is_refused_from_the_answer_on_and_let_in_again_when_unblocked() {
        admin.post("/api/v1/workers/" + id() + ":block").expect(200);
        assertThat(worker.cores().code()).isEqualTo("certificate_refused");
        assertThat(worker.renew(key).code()).isEqualTo("certificate_refused");

        admin.post("/api/v1/workers/" + id() + ":unblock").expect(200);
        assertThat(worker.cores().status()).isEqualTo(200);
    }

    @Test
    void a_removed_worker_never_comes_back() {
        admin.call("DELETE", "/api/v1/workers/" + id(), null).expect(204);

        assertThat(worker.cores().code()).isEqualTo("certificate_refused");
        assertThat(admin.get("/api/v1/workers/" + id()).status()).isEqualTo(404);
        assertThat(admin.post("/api/v1/workers/" + id() + ":unblock").status()).isEqualTo(404);
        assertThat(Outboxes.events(API.database()))
                .anyMatch(event -> event.contains("worker_deregistered") && event.contains(id()));
    }

    @Test
    void draining_is_an_operators_right_blocking_an_admins() {
        Api.Http operator = user("operator");
        Api.Http viewer = user("viewer");

        assertThat(operator.post("/api/v1/workers/" + id() + ":drain")
                        .expect(200)
                        .path("state")
                        .asString())
                .isEqualTo("draining");
        assertThat(worker.cores().status()).as("a draining worker finishes").isEqualTo(200);
        assertThat(operator.post("/api/v1/workers/" + id() + ":resume")
                        .expect(200)
                        .path("state")
                        .asString())
                .isEqualTo("offline");
        assertThat(operator.post("/api/v1/workers/" + id() + ":block").status()).isEqualTo(403);
        assertThat(viewer.get("/api/v1/workers").status()).isEqualTo(403);
    }

    @Test
    void a_worker_changed_by_sql_is_refused_and_is_an_event() {
        meddle("UPDATE vault.worker SET worker_group = 'service:gdpr' WHERE id = '" + row().id() + "'");

        assertThat(worker.cores().code()).isEqualTo("certificate_refused");
        assertThat(Outboxes.events(API.database()))
                .filteredOn(event -> event.contains("row_seal_broken") && event.contains(id()))
                .hasSize(1);
    }

    @Test
    void a_core_reports_a_clone_and_the_worker_is_locked_others_cannot() {
        KeyPair coreKey = Authority.newKeyPair();
        TestWorker core =
                TestWorker.of(API, coreKey, TestWorker.stranger(API).enrol(joinToken("service:core"), coreKey));
        String report = "{\"worker\":\"%s\",\"reason\":\"clone\",\"detail\":\"boots a and b\"}".formatted(id());

        assertThat(worker.post("/internal/v1/workers:lock", report).code()).isEqualTo("certificate_refused");
        assertThat(core.get("/worker/v1/cores").code()).isEqualTo("certificate_refused");
        assertThat(core.post("/internal/v1/workers:lock", report).status()).isEqualTo(204);
        assertThat(worker.cores().code()).isEqualTo("certificate_refused");
    }

    @Test
    void the_list_has_pages() {
        TestWorker.stranger(API).enrol(joinToken("batch"), Authority.newKeyPair());

        var first = admin.get("/api/v1/workers?limit=1").expect(200);
        var second = admin.get(
                        "/api/v1/workers?limit=1&after=" + first.path("next").asString())
                .expect(200);

        assertThat(second.path("items").path(0).path("id").asString()).isEqualTo(id());
        assertThat(admin.get("/api/v1/workers?after=x").status()).isEqualTo(400);
    }

    @Test
    void the_core_reads_what_it_needs_of_the_registry_and_nothing_else() throws Exception {
        try (var connection = API.database().as(dev.vigil.postgres.Role.CORE).connect();
                var statement = connection.createStatement()) {
            assertThat(
                            statement.executeQuery(
                                    "SELECT id, name, worker_group, labels, state, namespaces, generation, changed_at FROM vault.worker"))
                    .isNotNull();
            for (String sql : List.of(
                    "SELECT certificate FROM vault.worker",
                    "SELECT mac FROM vault.worker",
                    "SELECT * FROM vault.join_token",
                    "SELECT * FROM vault.authority",
                    "SELECT * FROM vault.handler",
                    "UPDATE vault.worker SET state = 'active'")) {
                assertThatThrownBy(() -> statement.execute(sql)).as(sql).hasMessageContaining("permission denied");
            }
        }
    }

    private String joinToken(String group) {
        return admin.post("/api/v1/workers/join-tokens", "{\"group\":\"%s\"}".formatted(group))
                .expect(201)
                .path("token")
                .asString();
    }

    private Api.Http user(String role) {
        String name = role + System.nanoTime();
        admin.post(
                        "/api/v1/users",
                        "{\"username\":\"%s\",\"password\":\"a long enough password\",\"role\":\"%s\"}"
                                .formatted(name, role))
                .expect(201);
        return API.login(name, "a long enough password");
    }

    private String id() {
        return admitted.json().path("worker_id").asString();
    }

    private WorkerRow row() {
        return PeerCertificate.of(TestWorker.chain(admitted).getFirst(), "vigil.local")
                .flatMap(shown -> API.context().getBean(Workers.class).find(shown.row()))
                .orElseThrow();
    }

    private static void meddle(String sql) {
        Meddler.run(API.database(), sql);
    }
}
