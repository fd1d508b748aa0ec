package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.postgres.Role;
import dev.vigil.scheduler.TestDatabase;
import dev.vigil.scheduler.execution.PermitRows.Moved;
import dev.vigil.scheduler.execution.PermitRows.Standing;
import dev.vigil.scheduler.execution.PermitRows.Taken;
import dev.vigil.scheduler.task.Limited;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.jdbc.core.simple.JdbcClient;

/// Permits on a real PostgreSQL: of shards 0 to 2 this core owns 0 and 1.
class PermitRowsTest {
    private static final TestDatabase DATABASE = new TestDatabase();
    private static final UUID ME = new UUID(7, 1);
    private static final Limited KEY = Limited.owner(1, new UUID(9, 9));

    private final JdbcClient db = JdbcClient.create(DATABASE.source(Role.CORE));

    @BeforeEach
    void empty() {
        JdbcClient all = DATABASE.superuser();
        all.sql("TRUNCATE scheduler.permit, scheduler.concurrency").update();
        all.sql("UPDATE scheduler.shard SET epoch = 5, owner = CASE WHEN id < 2 THEN :me ELSE :other END")
                .param("me", ME)
                .param("other", new UUID(7, 2))
                .update();
        all.sql("INSERT INTO scheduler.concurrency (namespace, owner, most) VALUES (1, :owner, 5)")
                .param("owner", KEY.id())
                .update();
    }

    @Test
    void who_asks_first_gets_his_first_and_who_gets_too_few_is_told_when() {
        Taken taken = take(moved(1, 4), moved(0, 3));

        assertThat(taken.came()).containsOnly(Map.entry(1, 4), Map.entry(0, 1));
        assertThat(taken.deniedAt()).isEqualTo(standing().deniedAt()).isNotNull();
        assertThat(standing().taken()).isEqualTo(5);

        assertThat(PermitRows.giveBack(db, owned(1), List.of(moved(1, 4)))).containsExactly(1);
        Taken enough = take(moved(0, 2));

        assertThat(enough.came()).containsOnly(Map.entry(0, 2), Map.entry(1, 0));
        assertThat(enough.deniedAt()).isNull();
        assertThat(held()).containsOnly(Map.entry(0, 3), Map.entry(1, 0));
    }

    @Test
    void between_shards_of_one_owner_permits_move_and_the_limits_row_is_left_alone() {
        take(moved(0, 3));
        String before = version();

        assertThat(PermitRows.move(db, owned(0, 1), List.of(moved(1, 2), moved(0, -2))))
                .containsExactlyInAnyOrder(0, 1);

        assertThat(held()).containsOnly(Map.entry(0, 1), Map.entry(1, 2));
        assertThat(version()).isEqualTo(before);
    }

    @Test
    void nothing_moves_when_one_of_the_shards_is_another_owners() {
        take(moved(0, 3));

        assertThat(PermitRows.move(db, owned(0, 2), List.of(moved(2, 2), moved(0, -2))))
                .containsExactly(0);

        assertThat(held()).containsOnly(Map.entry(0, 3));
    }

    @Test
    void a_shard_can_give_no_more_than_it_has() {
        take(moved(0, 1));

        assertThatThrownBy(() -> PermitRows.move(db, owned(0, 1), List.of(moved(1, 2), moved(0, -2))))
                .isInstanceOf(DataIntegrityViolationException.class);
        // Of what has no row at all nothing comes either.
        PermitRows.move(db, owned(0, 1), List.of(moved(0, 2), moved(1, -2)));

        assertThat(held()).containsOnly(Map.entry(0, 1));
    }

    private Taken take(Moved... moves) {
        return PermitRows.take(db, owned(0, 1), List.of(moves), false);
    }

    private static Moved moved(int shard, int n) {
        return new Moved(shard, KEY, n);
    }

    private static Owned owned(int... shards) {
        return new Owned(
                ME,
                IntStream.of(shards).mapToObj(id -> new Owned.Shard(id, 5, 0)).toList());
    }

    private Standing standing() {
        return PermitRows.standings(db, List.of(KEY)).getOrDefault(KEY, Standing.NONE);
    }

    private Map<Integer, Integer> held() {
        return PermitRows.held(db, List.of(0, 1, 2)).stream().collect(Collectors.toMap(Moved::shard, Moved::n));
    }

    private static String version() {
        return DATABASE.superuser()
                .sql("SELECT ctid::text FROM scheduler.concurrency")
                .query(String.class)
                .single();
    }
}
