package dev.vigil.protocol.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdentityKeeperTest {
    private static final UUID WORKER = UUID.fromString("019a0000-0000-7000-8000-000000000001");

    @TempDir
    private Path folder;

    private final TestAuthority authority = new TestAuthority();
    private TestApi api;

    @BeforeEach
    void start() throws IOException {
        api = new TestApi(authority);
        api.token("good", WORKER);
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @Test
    void a_worker_enrols_by_token_and_keeps_its_files_private() throws Exception {
        try (var keeper = open("good", authority.pin())) {
            assertThat(keeper.current().id().worker()).contains(WORKER);
        }

        for (String file : Set.of("identity.pem", "ca.pem")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(state().resolve(file))))
                    .isEqualTo("rw-------");
        }
        assertThat(state().resolve("next-key.pem")).doesNotExist();
    }

    @Test
    void a_restart_uses_the_stored_certificate_and_needs_no_token() throws Exception {
        byte[] first;
        try (var keeper = open("good", authority.pin())) {
            first = keeper.current().fingerprint();
        }

        try (var keeper = open(null, null)) {
            assertThat(keeper.current().fingerprint()).isEqualTo(first);
        }
    }

    @Test
    void a_used_token_is_refused_with_the_code_of_the_api() throws Exception {
        open("good", authority.pin()).close();
        Files.delete(state().resolve("identity.pem"));

        assertThatThrownBy(() -> open("good", authority.pin()))
                .isInstanceOfSatisfying(
                        IdentityException.class, e -> assertThat(e.code()).isEqualTo("join_token_used"));
    }

    @Test
    void the_token_is_not_sent_to_a_server_with_another_ca() {
        String pin = new TestAuthority().pin();

        assertThatThrownBy(() -> open("good", pin)).isInstanceOf(IOException.class);

        assertThat(api.issued()).isEmpty();
    }

    @Test
    void a_server_with_the_right_ca_that_is_not_the_api_gets_no_token() throws Exception {
        var trust = new PinTrust(authority.pin());
        var core = authority.service("core").chain().toArray(new java.security.cert.X509Certificate[0]);
        var real = authority.service("api").chain().toArray(new java.security.cert.X509Certificate[0]);

        assertThatThrownBy(() -> trust.checkServerTrusted(core, "UNKNOWN")).hasMessageContaining("service/core");
        trust.checkServerTrusted(real, "UNKNOWN");
    }

    @Test
    void a_lost_answer_is_asked_for_again_with_the_same_key() throws Exception {
        api.fail(0);
        assertThatThrownBy(() -> open("good", authority.pin())).isInstanceOf(IOException.class);
        String key = Files.readString(state().resolve("next-key.pem"));
        api.token("good", WORKER);

        try (var keeper = open("good", authority.pin())) {
            assertThat(Files.readString(state().resolve("identity.pem"))).contains(key.split("-----", -1)[2]);
            assertThat(keeper.current().id().worker()).contains(WORKER);
        }
    }

    @Test
    void a_certificate_of_a_few_seconds_is_renewed_through_an_outage() throws Exception {
        api.life(Duration.ofSeconds(3));
        try (var keeper = open("good", authority.pin())) {
            Set<Instant> ends = new HashSet<>();
            api.fail(503, 0);

            await().atMost(Duration.ofSeconds(20)).until(() -> {
                assertThat(Instant.now()).isBefore(keeper.current().notAfter());
                ends.add(keeper.current().notAfter());
                return ends.size() >= 4;
            });
        }
    }

    @Test
    void two_processes_cannot_share_a_state_folder() throws Exception {
        try (var keeper = open("good", authority.pin())) {
            assertThatThrownBy(() -> open(null, null))
                    .isInstanceOfSatisfying(
                            IdentityException.class, e -> assertThat(e.code()).isEqualTo("in_use"));
            assertThat(keeper.current().id().worker()).contains(WORKER);
        }
    }

    @Test
    void an_ended_certificate_without_a_token_says_what_to_do() throws Exception {
        api.life(Duration.ofSeconds(1));
        open("good", authority.pin()).close();

        InstantSource later = () -> Instant.now().plusSeconds(60);

        assertThatThrownBy(() -> IdentityKeeper.open(settings(null, null), later))
                .hasMessageContaining("enrol again with a new join token");
    }

    private Path state() {
        return folder.resolve("state");
    }

    private IdentityKeeper open(@Nullable String token, @Nullable String pin) throws Exception {
        return IdentityKeeper.open(settings(token, pin), InstantSource.system());
    }

    private IdentitySettings settings(@Nullable String token, @Nullable String pin) {
        return new IdentitySettings(state(), URI.create(api.uri().toString()), "eu-7", token, pin);
    }
}
