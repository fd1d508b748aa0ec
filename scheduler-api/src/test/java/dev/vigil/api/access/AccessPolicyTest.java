package dev.vigil.api.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.access.AccessPolicy.Action;
import dev.vigil.api.access.AccessPolicy.Target;
import dev.vigil.api.access.AccessPolicy.Verdict;
import dev.vigil.api.access.AccessPolicy.Wish;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Caller.Permissions;
import dev.vigil.api.web.Role;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class AccessPolicyTest {
    private static final UUID ME = UUID.randomUUID();
    private static final Target MINE = new Target(ME, 1, "backup.database");
    private static final Target STRANGERS = new Target(UUID.randomUUID(), 1, "backup.database");
    private static final Target ELSEWHERE = new Target(UUID.randomUUID(), 2, "backup.database");

    @Test
    void an_admin_may_do_everything_everywhere() {
        for (Action action : Action.values()) {
            assertThat(decide(Role.ADMIN, action, ELSEWHERE)).isInstanceOf(Verdict.Allowed.class);
        }
    }

    @Test
    void nobody_else_sees_another_namespace() {
        for (Role role : EnumSet.complementOf(EnumSet.of(Role.ADMIN))) {
            for (Action action : Action.values()) {
                assertThat(decide(role, action, ELSEWHERE)).isInstanceOf(Verdict.Hidden.class);
            }
        }
    }

    @Test
    void a_scheduler_has_his_own_tasks_and_strangers_are_hidden() {
        for (Action action : Action.values()) {
            assertThat(decide(Role.SCHEDULER, action, MINE)).isInstanceOf(Verdict.Allowed.class);
            assertThat(decide(Role.SCHEDULER, action, STRANGERS)).isInstanceOf(Verdict.Hidden.class);
        }
    }

    @Test
    void an_operator_reads_and_controls_but_opens_and_changes_nothing() {
        assertThat(decide(Role.OPERATOR, Action.READ, STRANGERS)).isInstanceOf(Verdict.Allowed.class);
        assertThat(decide(Role.OPERATOR, Action.CONTROL, STRANGERS)).isInstanceOf(Verdict.Allowed.class);
        assertThat(decide(Role.OPERATOR, Action.READ_PAYLOAD, STRANGERS)).isInstanceOf(Verdict.Denied.class);
        assertThat(decide(Role.OPERATOR, Action.READ_RESULT, STRANGERS)).isInstanceOf(Verdict.Denied.class);
        assertThat(decide(Role.OPERATOR, Action.CHANGE, STRANGERS)).isInstanceOf(Verdict.Denied.class);
    }

    @Test
    void a_viewer_only_reads() {
        assertThat(decide(Role.VIEWER, Action.READ, STRANGERS)).isInstanceOf(Verdict.Allowed.class);
        for (Action action : EnumSet.complementOf(EnumSet.of(Action.READ))) {
            assertThat(decide(Role.VIEWER, action, STRANGERS)).isInstanceOf(Verdict.Denied.class);
        }
    }

    @Test
    void an_executor_sees_and_gets_results_of_what_he_may_execute() {
        Caller bounded = caller(Role.EXECUTOR, new Permissions(null, null, Set.of("backup.*"), null, null));
        var other = new Target(UUID.randomUUID(), 1, "mail.send");

        assertThat(AccessPolicy.decide(bounded, Action.READ_RESULT, STRANGERS)).isInstanceOf(Verdict.Allowed.class);
        assertThat(AccessPolicy.decide(bounded, Action.READ, other)).isInstanceOf(Verdict.Hidden.class);
        assertThat(AccessPolicy.decide(bounded, Action.READ_PAYLOAD, STRANGERS)).isInstanceOf(Verdict.Denied.class);
    }

    @Test
    void auditors_and_privacy_officers_see_no_tasks() {
        assertThat(decide(Role.AUDITOR, Action.READ, STRANGERS)).isInstanceOf(Verdict.Hidden.class);
        assertThat(decide(Role.PRIVACY_OFFICER, Action.READ, STRANGERS)).isInstanceOf(Verdict.Hidden.class);
    }

    @Test
    void an_absent_list_allows_all_an_empty_one_none_and_a_star_its_beginning() {
        var wish = new Wish("cron", "low", "backup.database");

        assertThat(create(Permissions.ALL, wish)).isInstanceOf(Verdict.Allowed.class);
        assertThat(create(new Permissions(Set.of(), null, null, null, null), wish))
                .isInstanceOf(Verdict.Denied.class);
        assertThat(create(new Permissions(null, Set.of("low"), null, null, null), wish))
                .isInstanceOf(Verdict.Allowed.class);
        assertThat(create(new Permissions(null, Set.of("high"), null, null, null), wish))
                .isInstanceOf(Verdict.Denied.class);
        assertThat(create(new Permissions(null, null, Set.of("backup.*"), null, null), wish))
                .isInstanceOf(Verdict.Allowed.class);
        assertThat(create(new Permissions(null, null, Set.of("back"), null, null), wish))
                .isInstanceOf(Verdict.Denied.class);
    }

    @Test
    void only_schedulers_and_admins_create() {
        for (Role role : Role.values()) {
            boolean allowed = AccessPolicy.create(caller(role, Permissions.ALL), new Wish("cron", "low", "x"))
                    instanceof Verdict.Allowed;
            assertThat(allowed).isEqualTo(role == Role.ADMIN || role == Role.SCHEDULER);
        }
    }

    @Test
    void every_role_that_a_scope_is_for_gets_it() {
        assertThat(Grants.scopesOf(Role.ADMIN)).hasSize(9);
        for (Role role : Role.values()) {
            assertThat(Grants.scopesOf(role)).isNotEmpty();
        }
    }

    private static Verdict decide(Role role, Action action, Target target) {
        return AccessPolicy.decide(caller(role, Permissions.ALL), action, target);
    }

    private static Verdict create(Permissions permissions, Wish wish) {
        return AccessPolicy.create(caller(Role.SCHEDULER, permissions), wish);
    }

    private static Caller caller(Role role, Permissions permissions) {
        return new Caller(ME, "me", role, 1, "default", Set.of(), permissions, 100, "jti", null, null);
    }
}
