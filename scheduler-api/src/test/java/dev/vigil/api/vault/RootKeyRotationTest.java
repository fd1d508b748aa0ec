package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.task.TaskDraft;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RootKeyRotationTest {
    private static final byte[] PAYLOAD = "{\"iban\":\"DE89\"}".getBytes(StandardCharsets.UTF_8);

    @TempDir
    private Path folder;

    private VaultFixture vault;
    private final Place place = new Place(UuidV7.next(), 1, 1, "demo.echo");
    private TaskDraft.Sealed before;
    private String oldName;

    @BeforeEach
    void a_vault_that_sealed_something() {
        vault = new VaultFixture(folder);
        before = vault.node().sealer().seal(place, PAYLOAD, "customer-1");
        oldName = vault.roots().current().rootKey();
    }

    @Test
    void every_key_is_wrapped_anew_while_data_keys_and_payloads_stay_as_they_are() {
        VaultFixture.Node running = vault.node();
        List<String> dataKeys = dataKeys();
        UUID by = UUID.randomUUID();

        RootKeyRotation.Rotated rotated = rotation().rotate(by);

        assertThat(rotated.rootKey())
                .isNotEqualTo(oldName)
                .isEqualTo(vault.roots().current().rootKey());
        assertThat(rotated.retired()).isTrue();
        assertThat(rootKeys()).containsOnly(rotated.rootKey());
        assertThat(rotated.rewrapped()).isEqualTo(rootKeys().size());
        assertThat(dataKeys()).isEqualTo(dataKeys);
        assertOpens(running);
        assertOpens(vault.node());
        assertThat(vault.events())
                .filteredOn(event -> event.contains("rotate_root_key"))
                .singleElement()
                .asString()
                .contains("\"event_type\":\"key_rotated\"", rotated.rootKey());
    }

    @Test
    void a_crash_after_the_new_key_was_made_leaves_a_rotation_that_goes_on() {
        vault.roots().advance();

        assertOpens(vault.node());
        TaskDraft.Sealed during = vault.node().sealer().seal(new Place(place.task(), 9, 1, "demo.echo"), PAYLOAD, null);
        rotation().resume();

        assertThat(rootKeys()).doesNotContain(oldName);
        assertThat(vault.roots().isRotating()).isFalse();
        assertOpens(vault.node());
        assertThat(vault.node().sealer().taskKey(new Place(place.task(), 9, 1, "demo.echo"), during.keyId()))
                .isInstanceOf(PayloadSealer.KeyOf.Known.class);
    }

    @Test
    void a_crash_after_half_of_the_keys_or_before_the_old_file_was_set_aside_loses_nothing() throws Exception {
        KeyWrapper next = vault.roots().advance();
        vault.masters().rewrap(next, _ -> {});
        assertThat(rootKeys()).containsOnly(next.rootKey());
        assertThat(folder.resolve("root.key")).as("kept until all is done").exists();
        Files.createLink(folder.resolve("root.key.retired-" + oldName.substring(5)), folder.resolve("root.key"));
        assertOpens(vault.node());

        rotation().resume();

        assertThat(vault.roots().current().rootKey()).isEqualTo(next.rootKey());
        assertOpens(vault.node());
        assertThat(vault.events())
                .filteredOn(event -> event.contains("rotate_root_key"))
                .isEmpty();
    }

    @Test
    void a_copy_of_the_database_from_before_opens_with_the_key_that_was_set_aside() {
        String names = "SELECT id, name, root_key, wrapped FROM vault.master_key";
        vault.meddle("CREATE TABLE vault.copy AS " + names);
        rotation().rotate(UUID.randomUUID());
        vault.meddle("UPDATE vault.master_key k SET root_key = c.root_key, wrapped = c.wrapped FROM vault.copy c"
                + " WHERE c.id = k.id");

        assertOpens(vault.node());
        assertThat(rotation().rotate(UUID.randomUUID()).rewrapped()).isPositive();
        assertThat(rootKeys()).doesNotContain(oldName);
    }

    @Test
    void a_key_that_was_moved_in_the_database_stops_the_rotation_and_changes_nothing() {
        vault.meddle("UPDATE vault.master_key SET wrapped = (SELECT wrapped FROM vault.master_key"
                + " WHERE name = 'namespace:1') WHERE name LIKE 'subject-index:%'");

        assertThatThrownBy(() -> rotation().rotate(UUID.randomUUID())).isInstanceOf(VaultException.class);

        assertThat(rootKeys()).containsOnly(oldName);
    }

    @Test
    void without_a_next_key_an_installation_that_makes_none_is_told_what_to_do() {
        RootKeys careful = RootKeyRing.open(folder.resolve("root.key"), false);

        assertThatThrownBy(careful::advance)
                .hasMessageContaining("root.key.next")
                .hasMessageContaining("umask 077");
    }

    private RootKeyRotation rotation() {
        RootKeys roots = vault.roots();
        return new RootKeyRotation(
                roots, vault.masters(), TombstoneFile.open(folder.resolve("tombstones"), roots), vault.store());
    }

    private void assertOpens(VaultFixture.Node node) {
        Opened opened = node.sealer().open(place, place.payload(before.keyId()), before.sealed());
        assertThat(opened).isInstanceOf(Opened.Plain.class);
        assertThat(((Opened.Plain) opened).bytes()).isEqualTo(PAYLOAD);
    }

    private List<String> rootKeys() {
        return vault.db
                .sql("SELECT root_key FROM vault.master_key")
                .query(String.class)
                .list();
    }

    private List<String> dataKeys() {
        return vault.db
                .sql("SELECT id || encode(wrapped, 'hex') FROM vault.data_key ORDER BY id")
                .query(String.class)
                .list();
    }
}
