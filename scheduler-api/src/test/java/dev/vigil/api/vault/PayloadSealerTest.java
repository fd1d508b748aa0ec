package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.postgres.Role;
import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.task.TaskDraft;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.transaction.support.TransactionTemplate;

class PayloadSealerTest {
    private static final byte[] PAYLOAD = "{\"iban\":\"DE02\"}".getBytes(StandardCharsets.UTF_8);
    private static final String SUBJECT = "customer-4711";

    @TempDir
    private Path folder;

    private VaultFixture vault;
    private VaultFixture.Node node;
    private final Place place = place(UuidV7.next());

    @BeforeEach
    void an_empty_vault() {
        vault = new VaultFixture(folder);
        node = vault.node();
    }

    @Test
    void a_sealed_payload_opens_for_its_task_on_any_node() {
        TaskDraft.Sealed sealed = node.sealer().seal(place, PAYLOAD, null);

        Opened opened = open(vault.node(), place, sealed);

        assertThat(sealed.subject()).isNull();
        assertThat(sealed.subjectIndex()).isNull();
        assertPlain(opened, PAYLOAD);
    }

    @Test
    void a_payload_moved_to_another_task_version_handler_or_namespace_stays_shut_and_is_an_event() {
        TaskDraft.Sealed sealed = node.sealer().seal(place, PAYLOAD, null);
        UUID task = UuidV7.next();
        List<Place> elsewhere = List.of(
                new Place(task, 1, 1, "demo.echo"),
                new Place(place.task(), 1, 2, "demo.echo"),
                new Place(place.task(), 1, 1, "demo.fail"),
                new Place(place.task(), 2, 1, "demo.echo"));

        List<Opened> opened =
                elsewhere.stream().map(other -> open(node, other, sealed)).toList();

        assertThat(opened).hasOnlyElementsOfType(Opened.Broken.class);
        assertThat(vault.events())
                .filteredOn(event -> event.contains("\"event_type\":\"payload_viewed\""))
                .hasSize(4)
                .allMatch(event -> event.contains("\"result\":\"failure\"") && !event.contains("iban"));
    }

    @Test
    void a_key_that_a_rolled_back_caller_was_the_first_to_need_is_there_for_all() {
        var caller = new TransactionTemplate(vault.transactions);
        caller.executeWithoutResult(status -> {
            node.subjects().of(7, SUBJECT);
            status.setRollbackOnly();
        });

        assertThat(node.subjects().of(7, SUBJECT))
                .isEqualTo(vault.node().subjects().of(7, SUBJECT));
    }

    @Test
    void a_key_outlives_the_transaction_that_first_asked_for_it() {
        var caller = new TransactionTemplate(vault.transactions);
        caller.executeWithoutResult(status -> {
            node.sealer().seal(place, PAYLOAD, null);
            status.setRollbackOnly();
        });

        TaskDraft.Sealed sealed = node.sealer().seal(place, PAYLOAD, null);

        assertPlain(open(vault.node(), place, sealed), PAYLOAD);
    }

    @Test
    void a_result_opens_for_its_execution_only() {
        TaskDraft.Sealed sealed = node.sealer().seal(place, PAYLOAD, null);
        UUID execution = UuidV7.next();
        var key = (PayloadSealer.KeyOf.Known) node.sealer().taskKey(place, sealed.keyId());
        byte[] result = key.key().seal(place.result(execution, sealed.keyId()), PAYLOAD);

        Opened own = node.sealer().open(place, place.result(execution, sealed.keyId()), result);
        Opened others = node.sealer().open(place, place.result(UuidV7.next(), sealed.keyId()), result);

        assertPlain(own, PAYLOAD);
        assertThat(others).isInstanceOf(Opened.Broken.class);
    }

    @Test
    void a_namespace_has_one_key_a_month() {
        UUID november = node.sealer().seal(place, PAYLOAD, null).keyId();
        UUID sameMonth = vault.node().sealer().seal(place, PAYLOAD, null).keyId();
        UUID otherNamespace = node.sealer()
                .seal(new Place(place.task(), 2, 1, "demo.echo"), PAYLOAD, null)
                .keyId();
        vault.passes(Duration.ofDays(20));
        UUID december = node.sealer().seal(place, PAYLOAD, null).keyId();

        assertThat(sameMonth).isEqualTo(november);
        assertThat(Stream.of(november, otherNamespace, december).distinct()).hasSize(3);
    }

    @Test
    void a_key_that_sealed_its_share_gives_way_to_the_next_generation() {
        VaultFixture.Node careful = vault.node(5);

        List<UUID> keys = Stream.generate(
                        () -> careful.sealer().seal(place, PAYLOAD, null).keyId())
                .limit(11)
                .toList();

        assertThat(keys.subList(0, 5)).containsOnly(keys.get(0));
        assertThat(keys.subList(5, 10)).containsOnly(keys.get(5)).doesNotContain(keys.get(0));
        assertThat(keys.get(10)).isNotIn(keys.get(0), keys.get(5));
        assertThat(vault.db
                        .sql("SELECT generation FROM vault.data_key ORDER BY 1")
                        .query(Integer.class)
                        .list())
                .containsExactly(1, 2, 3);
    }

    @Test
    void nodes_that_need_a_key_at_once_make_one() throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<VaultFixture.Node> nodes =
                    Stream.generate(vault::node).limit(8).toList();
            List<Callable<UUID>> seals = nodes.stream()
                    .map(each -> (Callable<UUID>)
                            () -> each.sealer().seal(place, PAYLOAD, null).keyId())
                    .toList();

            var keys = threads.invokeAll(seals).stream()
                    .map(java.util.concurrent.Future::resultNow)
                    .distinct();

            assertThat(keys).hasSize(1);
        }
    }

    @Test
    void a_subject_has_a_key_and_a_blind_index_of_its_own() {
        TaskDraft.Sealed his = node.sealer().seal(place, PAYLOAD, SUBJECT);
        TaskDraft.Sealed hisToo = node.sealer().seal(place(UuidV7.next()), PAYLOAD, " customer-4711 ");
        TaskDraft.Sealed hers = node.sealer().seal(place, PAYLOAD, "customer-4712");

        assertThat(hisToo.keyId()).isEqualTo(his.keyId()).isNotEqualTo(hers.keyId());
        assertThat(hisToo.subjectIndex())
                .isEqualTo(his.subjectIndex())
                .hasSize(16)
                .isNotEqualTo(hers.subjectIndex());
        assertThat(node.subjects().of(2, SUBJECT)).isNotEqualTo(his.subjectIndex());
        assertPlain(
                node.sealer().open(place, place.subject(his.keyId()), Objects.requireNonNull(his.subject())),
                SUBJECT.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void a_destroyed_key_opens_nothing_on_this_node_at_once_and_on_others_when_they_look() {
        VaultFixture.Node other = vault.node();
        TaskDraft.Sealed sealed = node.sealer().seal(place, PAYLOAD, SUBJECT);
        assertPlain(open(other, place, sealed), PAYLOAD);

        List<UUID> destroyed = node.keys().destroy(1, Objects.requireNonNull(sealed.subjectIndex()));

        assertThat(destroyed).containsExactly(sealed.keyId());
        assertThat(open(node, place, sealed)).isInstanceOf(Opened.Erased.class);
        assertPlain(open(other, place, sealed), PAYLOAD);
        other.keys().forgetDestroyed();
        assertThat(open(other, place, sealed)).isInstanceOf(Opened.Erased.class);
    }

    @Test
    void a_subjects_key_is_not_in_memory_longer_than_a_minute_even_when_nobody_tells() {
        TaskDraft.Sealed sealed = node.sealer().seal(place, PAYLOAD, SUBJECT);
        assertPlain(open(node, place, sealed), PAYLOAD);
        vault.meddle("UPDATE vault.data_key SET wrapped = NULL, destroyed_at = now() WHERE month IS NULL");

        vault.passes(Duration.ofSeconds(59));
        assertPlain(open(node, place, sealed), PAYLOAD);
        vault.passes(Duration.ofSeconds(1));
        assertThat(open(node, place, sealed)).isInstanceOf(Opened.Erased.class);
    }

    @Test
    void nothing_is_sealed_for_a_subject_while_he_is_erased_and_later_under_a_new_key() {
        TaskDraft.Sealed before = node.sealer().seal(place, PAYLOAD, SUBJECT);
        byte[] index = Objects.requireNonNull(before.subjectIndex());
        vault.meddle("INSERT INTO vault.erasure (namespace, subject_index, request) VALUES (1, '\\x"
                + HexFormat.of().formatHex(index) + "', '" + UuidV7.next() + "')");
        node.keys().forgetDestroyed();

        assertThatThrownBy(() -> node.sealer().seal(place, PAYLOAD, SUBJECT))
                .isInstanceOf(SubjectUnderErasureException.class);

        node.keys().destroy(1, index);
        vault.meddle("UPDATE vault.erasure SET ended_at = now()");
        TaskDraft.Sealed after = node.sealer().seal(place, PAYLOAD, SUBJECT);
        assertThat(after.keyId()).isNotEqualTo(before.keyId());
        assertPlain(open(node, place, after), PAYLOAD);
    }

    @Test
    void a_key_row_that_was_changed_or_swapped_does_not_unwrap_and_is_an_event() {
        TaskDraft.Sealed one = node.sealer().seal(place, PAYLOAD, null);
        TaskDraft.Sealed two = node.sealer().seal(new Place(place.task(), 2, 1, "demo.echo"), PAYLOAD, null);
        // Each row gets the other's bytes.
        vault.meddle("""
                UPDATE vault.data_key AS mine SET wrapped = other.wrapped
                  FROM vault.data_key AS other WHERE other.namespace = 3 - mine.namespace
                """);

        for (TaskDraft.Sealed sealed : List.of(one, two)) {
            assertThatThrownBy(() -> open(vault.node(), place, sealed))
                    .isInstanceOf(VaultException.class)
                    .hasMessageContaining(sealed.keyId().toString());
        }
        assertThat(vault.events())
                .filteredOn(event -> event.contains("\"action\":\"unwrap_data_key\""))
                .hasSize(2);
    }

    @Test
    void another_root_key_is_named_instead_of_tried() throws Exception {
        node.sealer().seal(place, PAYLOAD, null);
        Files.write(folder.resolve("root.key"), SealedBytes.newKey());

        VaultFixture.Node wrong = vault.node();

        assertThatThrownBy(() -> wrong.sealer().seal(place, PAYLOAD, null))
                .isInstanceOf(VaultException.class)
                .hasMessageContaining("put the right file back");
    }

    @Test
    void every_key_that_is_made_is_an_event() {
        node.sealer().seal(place, PAYLOAD, null);
        node.sealer().seal(place, PAYLOAD, SUBJECT);

        assertThat(vault.events())
                .hasSize(2)
                .allMatch(
                        event -> event.contains("\"event_type\":\"key_rotated\"") && event.contains("create_data_key"));
    }

    @ParameterizedTest
    @EnumSource(
            value = Role.class,
            names = {"CORE", "AUDIT", "GDPR"})
    void no_other_service_reads_a_wrapped_key(Role role) throws SQLException {
        for (String table : List.of("vault.data_key", "vault.master_key", "vault.erasure")) {
            assertRefused(role, "SELECT * FROM " + table);
        }
    }

    @Test
    void the_api_itself_cannot_delete_a_key_or_change_whose_it_is() throws SQLException {
        assertRefused(Role.API, "DELETE FROM vault.data_key");
        assertRefused(Role.API, "UPDATE vault.data_key SET namespace = 2");
        assertRefused(Role.API, "TRUNCATE vault.data_key");
        assertRefused(Role.API, "UPDATE access.outbox SET n = 1");
        assertRefused(Role.API, "DELETE FROM access.outbox");
    }

    private void assertRefused(Role role, String sql) throws SQLException {
        try (var connection = vault.database.as(role).connect();
                var statement = connection.createStatement()) {
            assertThatThrownBy(() -> statement.execute(sql))
                    .as("%s as %s", sql, role)
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("permission denied");
        }
    }

    private static Opened open(VaultFixture.Node node, Place place, TaskDraft.Sealed sealed) {
        return node.sealer().open(place, place.payload(sealed.keyId()), sealed.sealed());
    }

    private static void assertPlain(Opened opened, byte[] expected) {
        assertThat(opened)
                .asInstanceOf(InstanceOfAssertFactories.type(Opened.Plain.class))
                .extracting(Opened.Plain::bytes)
                .isEqualTo(expected);
    }

    private static Place place(UUID task) {
        return new Place(task, 1, 1, "demo.echo");
    }
}
