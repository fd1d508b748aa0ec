package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.vigil.scheduler.execution.AttemptEnd.Outcome;
import dev.vigil.scheduler.execution.Attempts.Next;
import dev.vigil.scheduler.execution.Attempts.Tries;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.FirePlan.Rules;
import dev.vigil.scheduler.execution.FirePlan.Standing;
import dev.vigil.scheduler.execution.Orphans.Decision;
import dev.vigil.scheduler.execution.Orphans.Sight;
import dev.vigil.scheduler.task.Misfire;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.RetryPolicy;
import dev.vigil.scheduler.task.RetryPolicy.Backoff;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.Schedule.OnGap;
import dev.vigil.scheduler.task.Schedule.OnOverlap;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// The rules by which a core acts, takes over, tries again and fires, with time handed in.
class RulesTest {
    private static final long SECOND = 1_000_000_000L;
    private static final UUID OTHER = new UUID(1, 1);
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");
    private static final RetryPolicy THREE =
            new RetryPolicy(3, Backoff.EXPONENTIAL, Duration.ofSeconds(10), Duration.ofSeconds(15));

    @Test
    void a_core_may_act_for_four_seconds_after_it_sent_its_last_renewal() {
        var tenure = new Tenure();

        assertThat(tenure.mayAct(0)).isFalse();
        tenure.renewed(10 * SECOND);
        assertThat(tenure.mayAct(14 * SECOND - 1)).isTrue();
        assertThat(tenure.mayAct(14 * SECOND)).isFalse();
        tenure.renewed(20 * SECOND);
        tenure.end();
        assertThat(tenure.mayAct(21 * SECOND)).isFalse();
    }

    @Test
    void a_core_is_dead_when_its_beat_stood_still_for_six_seconds_and_not_before() {
        var watch = new BeatWatch();

        for (int second = 0; second < 6; second++) {
            assertThat(watch.poll(second * SECOND, second * SECOND, Map.of(OTHER, 7L)))
                    .isEmpty();
        }
        assertThat(watch.poll(6 * SECOND, 6 * SECOND, Map.of(OTHER, 7L))).containsExactly(OTHER);
        assertThat(watch.poll(7 * SECOND, 7 * SECOND, Map.of(OTHER, 8L))).isEmpty();
    }

    @Test
    void a_break_in_the_polls_begins_the_count_anew() {
        var watch = new BeatWatch();
        for (int second = 0; second < 6; second++) {
            watch.poll(second * SECOND, second * SECOND, Map.of(OTHER, 7L));
        }

        assertThat(watch.poll(35 * SECOND, 35 * SECOND, Map.of(OTHER, 7L))).isEmpty();
        for (int second = 36; second < 41; second++) {
            assertThat(watch.poll(second * SECOND, second * SECOND, Map.of(OTHER, 7L)))
                    .isEmpty();
        }
        assertThat(watch.poll(41 * SECOND, 41 * SECOND, Map.of(OTHER, 7L))).containsExactly(OTHER);
    }

    @Test
    void a_right_to_act_has_ended_before_anybody_may_take_over() {
        assertThat(Tenure.LENGTH).isLessThan(BeatWatch.PATIENCE);
        assertThat(Tenure.RENEWAL.multipliedBy(2)).isLessThan(Tenure.LENGTH);
    }

    @Test
    void a_core_without_a_database_keeps_what_runs_alive_until_the_grace_is_over_and_no_longer() {
        var tenure = new Tenure();
        assertThat(tenure.vouches(0)).isFalse();
        tenure.renewed(SECOND);

        assertThat(tenure.mayAct(5 * SECOND)).isFalse();
        assertThat(tenure.vouches(5 * SECOND)).isTrue();
        assertThat(tenure.vouches(SECOND + Tenure.VOUCHES.toNanos() - 1)).isTrue();
        assertThat(tenure.vouches(SECOND + Tenure.VOUCHES.toNanos())).isFalse();
        assertThat(Tenure.VOUCHES.plus(Orphans.OWNED_WITHIN)).isEqualTo(Duration.ofSeconds(60));
        assertThat(Tenure.LENGTH.plus(Orphans.OWNED_WITHIN)).isLessThan(Orphans.GRACE);
        tenure.end();
        assertThat(tenure.vouches(SECOND)).isFalse();
    }

    @Test
    void shards_are_shared_by_taking_what_is_free_and_releasing_what_is_too_much() {
        assertThat(FairShare.toTake(16, 1, 0)).isEqualTo(16);
        assertThat(FairShare.toTake(16, 3, 4)).isEqualTo(2);
        assertThat(FairShare.toRelease(16, 2, 16)).isEqualTo(8);
        assertThat(FairShare.toRelease(16, 3, 6)).isZero();
    }

    @Test
    void an_open_dispatch_is_given_up_at_once_in_16_seconds_or_after_the_grace() {
        Duration some = Duration.ofNanos(1);

        assertThat(Orphans.allowance(true)).isEqualTo(Duration.ofMillis(61_250));
        assertThat(Orphans.allowance(false)).isEqualTo(Duration.ofSeconds(16));
        assertThat(Orphans.decide(Sight.GONE, some)).isEqualTo(Decision.LOST);
        assertThat(Orphans.decide(Sight.HERE_WITHOUT_IT, some)).isEqualTo(Decision.NEVER_RAN);
        assertThat(Orphans.decide(Sight.HERE_WITH_IT, Duration.ofHours(-1))).isEqualTo(Decision.KEEP);
        assertThat(Orphans.decide(Sight.UNHEARD, some)).isEqualTo(Decision.WAIT);
        assertThat(Orphans.decide(Sight.UNHEARD, Duration.ZERO)).isEqualTo(Decision.LOST);
    }

    @Test
    void what_a_vanished_core_may_vouch_for_is_given_up_by_nobody_before_even_if_its_worker_was_heard_since() {
        long word = 61 * SECOND;

        assertThat(Orphans.until(true, 10 * SECOND, null)).isEqualTo(26 * SECOND);
        assertThat(Orphans.until(true, 10 * SECOND, word)).isEqualTo(word);
        assertThat(Orphans.until(true, 50 * SECOND, word)).as("inherited late").isEqualTo(word);
        assertThat(Orphans.until(false, 10 * SECOND, null)).isEqualTo(26 * SECOND);
        assertThat(Orphans.until(false, 10 * SECOND, word)).isEqualTo(word);
        assertThat(Orphans.until(false, 50 * SECOND, word)).as("heard since").isEqualTo(66 * SECOND);
    }

    @Test
    void a_failure_waits_longer_each_time_and_never_less_than_the_policy_says() {
        var chance = new Random(1);

        for (int i = 0; i < 100; i++) {
            assertThat(delay(Attempts.ended(failed(null), new Tries(1, 0, THREE), false, chance)))
                    .isBetween(Duration.ofSeconds(10), Duration.ofSeconds(11));
            assertThat(delay(Attempts.ended(failed(null), new Tries(2, 0, THREE), false, chance)))
                    .isBetween(Duration.ofSeconds(15), Duration.ofMillis(16_500));
        }
        assertThat(delay(Attempts.ended(failed(Duration.ofSeconds(3)), new Tries(1, 0, THREE), false, chance)))
                .isEqualTo(Duration.ofSeconds(3));
        assertThat(Attempts.ended(failed(null), new Tries(3, 0, THREE), false, chance))
                .isEqualTo(new Next.Ends(State.FAILED, "broken"));
    }

    @Test
    void a_lost_worker_burns_no_attempt_and_the_third_one_makes_it_poison() {
        assertThat(Attempts.lost(new Tries(1, 0, RetryPolicy.NONE))).isEqualTo(new Next.Again(null, 0, 1));
        assertThat(Attempts.lost(new Tries(1, 1, RetryPolicy.NONE))).isEqualTo(new Next.Again(null, 0, 1));
        assertThat(Attempts.lost(new Tries(1, 2, RetryPolicy.NONE))).isEqualTo(new Next.Ends(State.FAILED, "poison"));
    }

    @Test
    void a_cancelled_execution_that_succeeded_all_the_same_has_succeeded() {
        AttemptEnd done = new AttemptEnd(
                new Link.Running(OTHER, 1), Outcome.SUCCEEDED, Duration.ZERO, null, false, null, null, false);

        assertThat(Attempts.ended(done, new Tries(1, 0, THREE), true, new Random()))
                .isEqualTo(new Next.Ends(State.SUCCEEDED, null));
        assertThat(Attempts.ended(failed(null), new Tries(1, 0, THREE), true, new Random()))
                .isEqualTo(new Next.Ends(State.CANCELLED, "broken"));
    }

    @Test
    void missed_occurrences_run_as_the_policy_says_and_skipped_ones_are_told() {
        Instant due = NOON.minusSeconds(300);

        FirePlan latest = plan(Misfire.LATEST, Overlap.ALLOW, due, 0);
        FirePlan none = plan(Misfire.NONE, Overlap.ALLOW, NOON.minusSeconds(3600), 0);
        FirePlan all = plan(Misfire.ALL, Overlap.ALLOW, due, 0);

        assertThat(latest.runs()).containsExactly(NOON);
        assertThat(latest.skips()).hasSize(5).allMatch(skip -> skip.code().equals("misfire"));
        assertThat(latest.next()).isEqualTo(NOON.plusSeconds(60));
        assertThat(none.runs()).containsExactly(NOON);
        assertThat(all.runs()).containsExactly(NOON.minusSeconds(120), NOON.minusSeconds(60), NOON);
        assertThat(all.skips()).hasSize(3);
    }

    @Test
    void none_drops_what_is_later_than_its_grace() {
        Rules hourly = rules(Misfire.NONE, Overlap.ALLOW, Duration.ofHours(1));

        FirePlan plan = FirePlan.decide(hourly, NOON.minusSeconds(3600), NOON.plusSeconds(1800), new Standing(0, 0))
                .orElseThrow();

        assertThat(plan.runs()).isEmpty();
        assertThat(plan.skips()).hasSize(2);
        assertThat(plan.next()).isEqualTo(NOON.plusSeconds(3600));
    }

    @Test
    void three_missed_days_of_seconds_are_decided_without_walking_through_them() {
        Rules seconds = rules(Misfire.LATEST, Overlap.SKIP, Duration.ofSeconds(1));

        FirePlan plan = FirePlan.decide(seconds, NOON.minus(Duration.ofDays(3)), NOON, new Standing(0, 0))
                .orElseThrow();

        assertThat(plan.runs()).containsExactly(NOON);
        assertThat(plan.skips()).hasSize(FirePlan.SKIPS_MAX);
    }

    @Test
    void skip_decides_at_the_due_time_when_an_earlier_one_is_still_open() {
        Rules skip = rules(Misfire.LATEST, Overlap.SKIP, Duration.ofSeconds(60));

        assertThat(FirePlan.decide(skip, NOON.plusSeconds(1), NOON, new Standing(1, 0)))
                .isEmpty();
        assertThat(FirePlan.decide(skip, NOON.plusSeconds(1), NOON, new Standing(0, 0))
                        .orElseThrow()
                        .runs())
                .containsExactly(NOON.plusSeconds(1));
        assertThat(FirePlan.decide(skip, NOON, NOON, new Standing(1, 0))
                        .orElseThrow()
                        .skips())
                .containsExactly(new FirePlan.Skip(NOON, "overlap"));
        assertThat(plan(Misfire.LATEST, Overlap.ALLOW, NOON, 5).runs()).containsExactly(NOON);
    }

    @Test
    void queue_lets_occurrences_wait_up_to_its_limit_and_replace_keeps_the_latest() {
        Instant due = NOON.minusSeconds(120);
        Rules queue = rules(Misfire.ALL, Overlap.QUEUE, Duration.ofSeconds(60));
        Rules replace = rules(Misfire.ALL, Overlap.REPLACE, Duration.ofSeconds(60));

        FirePlan first = FirePlan.decide(queue, due, NOON, new Standing(0, 0)).orElseThrow();
        FirePlan nearlyFull = FirePlan.decide(queue, due, NOON, new Standing(100, FirePlan.WAITS_MAX - 1))
                .orElseThrow();
        FirePlan replaced =
                FirePlan.decide(replace, due, NOON, new Standing(1, 0)).orElseThrow();

        assertThat(first.runs()).containsExactly(due);
        assertThat(first.waits()).containsExactly(NOON.minusSeconds(60), NOON);
        assertThat(nearlyFull.waits()).containsExactly(due);
        assertThat(nearlyFull.skips()).extracting(FirePlan.Skip::code).containsOnly("queue_full");
        assertThat(replaced.waits()).containsExactly(NOON);
        assertThat(replaced.skips()).hasSize(2).allMatch(skip -> skip.code().equals("overlap"));
        assertThat(FirePlan.decide(replace, NOON.plusSeconds(1), NOON, new Standing(1, 0)))
                .isEmpty();
    }

    @Test
    void jitter_moves_each_occurrence_by_its_own_fixed_amount_and_never_to_the_next_one() {
        var rules = new Rules(
                new Schedule.Interval(Duration.ofSeconds(60), NOON),
                Misfire.LATEST,
                1,
                Overlap.SKIP,
                Duration.ofSeconds(40));
        var calendar = new Rules(
                new Schedule.Cron("* * * * *", ZoneOffset.UTC, OnGap.SHIFT, OnOverlap.FIRST),
                Misfire.LATEST,
                1,
                Overlap.SKIP,
                Duration.ofHours(2));
        var seen = new HashSet<Duration>();

        for (int i = 0; i < 200; i++) {
            Instant at = NOON.plusSeconds(60L * i);
            UUID id = FireId.of(OTHER, at);
            Duration moved = Duration.between(at, FirePlan.spread(rules, id, at));
            assertThat(moved).isBetween(Duration.ZERO, Duration.ofSeconds(40));
            assertThat(FirePlan.spread(rules, id, at)).isEqualTo(at.plus(moved));
            assertThat(FirePlan.spread(calendar, id, at))
                    .isBetween(at, at.plusSeconds(59).plusMillis(999));
            seen.add(moved);
        }
        assertThat(seen).hasSizeGreaterThan(150);
    }

    @Test
    void backoff_is_fixed_or_grows_by_steps_or_doubles_up_to_its_ceiling() {
        assertThat(waits(Backoff.FIXED)).containsExactly(10L, 10L, 10L, 10L);
        assertThat(waits(Backoff.LINEAR)).containsExactly(10L, 20L, 30L, 35L);
        assertThat(waits(Backoff.EXPONENTIAL)).containsExactly(10L, 20L, 35L, 35L);
    }

    /// In seconds, without the tenth that chance adds.
    private static List<Long> waits(Backoff backoff) {
        var policy = new RetryPolicy(9, backoff, Duration.ofSeconds(10), Duration.ofSeconds(35));
        var noChance = new Random() {
            @Override
            public long nextLong(long bound) {
                return 0;
            }
        };
        return IntStream.rangeClosed(1, 4)
                .mapToObj(attempt -> delay(Attempts.ended(failed(null), new Tries(attempt, 0, policy), false, noChance))
                        .toSeconds())
                .toList();
    }

    @Test
    void an_occurrence_has_one_id_whoever_fires_it() {
        assertThat(FireId.of(OTHER, NOON)).isEqualTo(FireId.of(OTHER, NOON));
        assertThat(FireId.of(OTHER, NOON)).isNotEqualTo(FireId.of(OTHER, NOON.plusSeconds(1)));
        assertThat(FireId.of(OTHER, NOON).version()).isEqualTo(7);
    }

    @Test
    void a_fence_grows_with_epoch_and_n_and_stays_below_2_to_the_53() {
        assertThat(Fence.of(2, 0)).isGreaterThan(Fence.of(1, (1L << 32) - 1));
        assertThat(Fence.of((1L << 21) - 1, (1L << 32) - 1)).isLessThan(1L << 53);
        assertThatIllegalArgumentException().isThrownBy(() -> Fence.of(1L << 21, 0));
    }

    @Test
    void the_databases_clock_is_never_guessed_ahead() {
        var clock = new DbClock(System::nanoTime);

        clock.read(NOON, 4 * SECOND, 5 * SECOND);

        assertThat(clock.at(5 * SECOND)).isEqualTo(NOON);
        assertThat(clock.at(7 * SECOND)).isEqualTo(NOON.plusSeconds(2));
    }

    @Test
    void an_answer_that_took_long_to_come_does_not_set_the_databases_clock_back_and_one_that_was_set_back_does() {
        var clock = new DbClock(System::nanoTime);
        long milli = SECOND / 1000;
        clock.read(NOON, SECOND, SECOND);

        clock.read(NOON.plusMillis(995), 2 * SECOND - 6 * milli, 2 * SECOND);
        assertThat(clock.at(2 * SECOND))
                .as("less what clocks may part by")
                .isEqualTo(NOON.plusMillis(1000).minusNanos(SECOND / 5000));
        clock.read(NOON.plusMillis(1995), 3 * SECOND - 4 * milli, 3 * SECOND);
        assertThat(clock.at(3 * SECOND))
                .as("set back by a millisecond at least")
                .isEqualTo(NOON.plusMillis(1995));
        clock.read(NOON.plusMillis(2900), 4 * SECOND - 100 * milli, 4 * SECOND);
        assertThat(clock.at(4 * SECOND)).as("nobody can tell").isEqualTo(NOON.plusMillis(2900));
        clock.read(NOON.plusMillis(4000), 5 * SECOND, 5 * SECOND);
        assertThat(clock.at(5 * SECOND)).as("later than was known").isEqualTo(NOON.plusMillis(4000));
    }

    private static FirePlan plan(Misfire misfire, Overlap overlap, Instant due, int open) {
        return FirePlan.decide(rules(misfire, overlap, Duration.ofSeconds(60)), due, NOON, new Standing(open, 0))
                .orElseThrow();
    }

    private static Rules rules(Misfire misfire, Overlap overlap, Duration every) {
        return new Rules(
                new Schedule.Interval(every, NOON.minus(Duration.ofDays(30))), misfire, 3, overlap, Duration.ZERO);
    }

    private static AttemptEnd failed(@Nullable Duration retryAfter) {
        return new AttemptEnd(
                new Link.Running(OTHER, 1), Outcome.FAILED, Duration.ZERO, "broken", true, retryAfter, null, false);
    }

    private static Duration delay(Next next) {
        return java.util.Objects.requireNonNull(((Next.Again) next).delay());
    }
}
